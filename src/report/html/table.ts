// A table in a container of its own that scrolls where the window is narrow, also by keyboard. Its caption stands above
// the container, so that it does not scroll away.
import { type Content, type Markup, markup } from './markup.js';

export interface Column<Row> {
  readonly title: Content;
  readonly alignment: 'left' | 'right';
  readonly cell: (row: Row) => Content;
  /** True where the cells of the column name their rows. */
  readonly isRowHeader?: true;
}

export interface TableContent<Row> {
  /** The id of the caption, unlike any other on the page. */
  readonly id: string;
  readonly caption: Content;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly isEmphasised?: (row: Row) => boolean;
  /** Many narrow columns: on paper, their titles stand upright. */
  readonly isDense?: true;
}

export function table<Row>({ id, caption, columns, rows, ...rest }: TableContent<Row>): Markup {
  const { isEmphasised } = rest;
  const line = (row: Row): Markup => markup`
<tr${isEmphasised?.(row) === true ? markup` class="emphasised"` : undefined}>
${columns.map((column) => cellOf(column, row))}
</tr>`;
  return markup`
<p class="caption" id="${id}">${caption}</p>
<div class="scroll" role="region" aria-labelledby="${id}" tabindex="0">
<table${rest.isDense === true ? markup` class="dense"` : undefined} aria-labelledby="${id}">
<thead>
<tr>
${columns.map(({ title, alignment }) => markup`<th scope="col" class="${alignment}">${title}</th>`)}
</tr>
</thead>
<tbody>${rows.map(line)}
</tbody>
</table>
</div>`;
}

function cellOf<Row>({ alignment, cell, isRowHeader }: Column<Row>, row: Row): Markup {
  return isRowHeader === true
    ? markup`<th scope="row" class="${alignment}">${cell(row)}</th>`
    : markup`<td class="${alignment}">${cell(row)}</td>`;
}
