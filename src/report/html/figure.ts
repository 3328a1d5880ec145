// A chart in its figure: drawn twice, for wide and for narrow windows, of which the style sheet shows one.
import type { PlotOptions } from '@observablehq/plot';
import type { Charts, ChartWidth, ChartWords } from './charts/charts.js';
import { type Content, type Markup, markup } from './markup.js';

export interface FigureContent extends ChartWords {
  readonly caption: Content;
  readonly legend?: Markup;
}

export function figure(
  charts: Charts,
  { id, title, description, caption, legend }: FigureContent,
  options: (width: ChartWidth) => PlotOptions,
): Markup {
  const drawn = (width: ChartWidth): Markup =>
    markup`<div class="${width}">${charts.draw({ id: `${id}-${width}`, title, description }, options(width))}</div>`;
  return markup`
<figure>
<figcaption>${caption}</figcaption>
${legend}
${drawn('wide')}
${drawn('narrow')}
</figure>`;
}

/** A legend for what is no label. */
export function chartLegend(entries: readonly (readonly [mark: Markup, name: string])[]): Markup {
  return markup`
<ul class="legend">${entries.map(([mark, name]) => markup`<li>${mark} ${name}</li>`)}</ul>`;
}

/** The axis of values in charts whose rows lie beneath each other. */
export const barAxis = { grid: true, labelAnchor: 'center', labelArrow: 'none' } as const;

export const chartWidths: Readonly<Record<ChartWidth, number>> = { wide: 1056, narrow: 328 };
