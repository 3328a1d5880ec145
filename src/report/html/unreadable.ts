// Snapshots that count nowhere, because what names their pages cannot be read.
import type { HistoryReport } from '../model/report.js';
import { type Markup, markup } from './markup.js';

export function unreadableList(unreadable: HistoryReport['unreadable']): Markup {
  return markup`
<ul>${unreadable.map(({ id, reason }) => markup`<li><code>${id}</code>: ${reason}</li>`)}</ul>`;
}
