// Which image a report is about, in a name and in a list of facts.
import type { Subject } from '../model/report.js';
import { bytesInWords, countOf, timeInWords } from '../words.js';
import { type Markup, markup } from './markup.js';

export function nameOf({ vm, imagePath }: Subject): string {
  return vm ?? imagePath?.split('/').at(-1) ?? 'an image';
}

export function subjectFacts(subject: Subject): Markup {
  const { id, vm, imagePath, created, kernel, evidence, imageSizeBytes, pageCount } = subject;
  const facts: readonly (readonly [name: string, value: Markup | string | null])[] = [
    ['VM', vm],
    ['Snapshot', id === null ? 'not stored: an estimate' : markup`<code>${id}</code>`],
    ['Image', imagePath === null ? null : markup`<code>${imagePath}</code>`],
    ['Taken', created === null ? null : timeInWords(created)],
    ['Kernel', kernel ?? 'none found'],
    ['Memory', `${bytesInWords(imageSizeBytes)}, ${countOf(pageCount, 'page')}`],
    ['Evidence', evidence],
  ];
  return factList(facts);
}

/** Facts without a value are left out. */
export function factList(
  facts: readonly (readonly [name: string, value: Markup | string | null])[],
): Markup {
  return markup`
<dl class="facts">${facts
    .filter(([, value]) => value !== null)
    .map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value ?? ''}</dd></div>`)}
</dl>`;
}

export function evidenceWarning({ evidence }: Subject): Markup | undefined {
  return evidence === 'complete'
    ? undefined
    : markup`<p class="warning"><strong>The evidence is not complete:</strong> ${evidence}. What is in doubt counts as critical.</p>`;
}
