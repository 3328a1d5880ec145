// What a label looks like on the page: its colour, or a pattern that is defined once and used by every picture.
import { pageClasses, type PageLabel } from '../../../introspect/page-class.js';
import { labelGroups, labelStyles } from '../label-style.js';
import { type Markup, markup } from './markup.js';

/** The order of legends and of what is stacked. */
export const labelOrder: readonly PageLabel[] = labelGroups.flatMap(({ labels }) => labels);

/** The lines of labels that have pages, in the order of legends. */
export function presentLabels<
  Line extends { readonly label: PageLabel; readonly pageCount: number },
>(lines: readonly Line[]): readonly Line[] {
  return lines
    .filter(({ pageCount }) => pageCount > 0)
    .sort((a, b) => labelOrder.indexOf(a.label) - labelOrder.indexOf(b.label));
}

/** For an SVG attribute. */
export function labelFill(label: PageLabel): string {
  const { fill, texture } = labelStyles[label];
  return texture === 'plain' ? fill : `url(#texture-${label})`;
}

/** The patterns that `labelFill` names, and the hatching of what does not resume. Stands once on a page. */
export function patternDefinitions(): Markup {
  const textured = labelOrder.filter((label) => labelStyles[label].texture !== 'plain');
  return markup`
<svg class="definitions" aria-hidden="true" width="0" height="0"><defs>
${textured.map((label) => labelPattern(label))}
<pattern id="hatched" width="6" height="6" patternUnits="userSpaceOnUse">
<rect class="hatched-ground" width="6" height="6"/>
<path class="hatched-line" d="M-1 1l2 -2M0 6l6 -6M5 7l2 -2"/>
</pattern>
</defs></svg>`;
}

function labelPattern(label: PageLabel): Markup {
  const { fill, ink, texture } = labelStyles[label];
  const mark =
    texture === 'hatch'
      ? markup`<path d="M-1 1l2 -2M0 6l6 -6M5 7l2 -2" stroke="${ink}" stroke-width="1.6"/>`
      : markup`<path d="M1 1h2v2h-2zM4 4h2v2h-2z" fill="${ink}"/>`;
  return markup`
<pattern id="texture-${label}" width="6" height="6" patternUnits="userSpaceOnUse">
<rect width="6" height="6" fill="${fill}"/>${mark}
</pattern>`;
}

/** Beside the label's name, which says the same. */
export function swatch(label: PageLabel): Markup {
  return filledSwatch(labelFill(label));
}

export function filledSwatch(fill: string): Markup {
  return markup`<svg class="swatch" aria-hidden="true" width="20" height="12" viewBox="0 0 20 12"><rect x="0.5" y="0.5" width="19" height="11" fill="${fill}"/></svg>`;
}

/** The labels that are there, by group. */
export function labelLegend(present: readonly PageLabel[]): Markup {
  const groups = labelGroups
    .map(({ title, labels }) => ({ title, labels: labels.filter((l) => present.includes(l)) }))
    .filter(({ labels }) => labels.length > 0);
  return markup`
<dl class="legend">${groups.map(
    ({ title, labels }) => markup`
<div><dt>${title}</dt>
${labels.map((label) => markup`<dd>${swatch(label)} ${label}</dd>`)}
</div>`,
  )}
</dl>`;
}

export function isExpendable(label: PageLabel): boolean {
  return pageClasses.some((entry) => entry.label === label && entry.expendable);
}
