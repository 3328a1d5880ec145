// Charts as SVG, by Observable Plot in a document without a browser. Both packages are loaded when a page is made, not
// when the program starts. Colours are CSS variables and currentColor, so that one chart fits light, dark and paper.
import type { ChannelValueSpec, PlotOptions } from '@observablehq/plot';
import { Markup, withoutControls } from '../markup.js';

type Plot = typeof import('@observablehq/plot');

export interface ChartWords {
  /** Unlike any other on the page. */
  readonly id: string;
  readonly title: string;
  /** What who cannot see the chart should know. */
  readonly description: string;
}

/** A screen of a phone is no small desk: it gets a chart of its own, with larger letters. */
export type ChartWidth = 'wide' | 'narrow';

export interface Charts {
  readonly plot: Plot;
  draw(words: ChartWords, options: PlotOptions): Markup;
}

/** What is used of the document that Plot draws in. */
interface ChartDocument {
  createElementNS(namespace: string, name: string): ChartElement;
}

interface ChartElement {
  textContent: string | null;
  readonly firstChild: ChartElement | null;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
  getElementsByTagName(name: string): Iterable<ChartElement>;
  insertBefore(child: ChartElement, before: ChartElement | null): void;
}

const svgNamespace = 'http://www.w3.org/2000/svg';

export async function loadCharts(): Promise<Charts> {
  const [plot, { DOMImplementation, XMLSerializer }] = await Promise.all([
    import('@observablehq/plot'),
    import('@xmldom/xmldom'),
  ]);
  const document = new DOMImplementation().createDocument(
    'http://www.w3.org/1999/xhtml',
    'html',
  ) as unknown as ChartDocument;
  const serializer = new XMLSerializer();
  const describe = (svg: ChartElement, name: string, id: string, text: string): void => {
    const element = document.createElementNS(svgNamespace, name);
    element.setAttribute('id', id);
    element.textContent = text;
    svg.insertBefore(element, svg.firstChild);
  };
  return {
    plot,
    draw({ id, title, description }, options) {
      const svg = plot.plot({
        ...options,
        className: 'chart',
        document: document as never,
      }) as unknown as ChartElement;
      // Names of groups, which are no names in an image: it has its own.
      for (const group of svg.getElementsByTagName('g')) {
        group.removeAttribute('aria-label');
      }
      svg.setAttribute('role', 'img');
      svg.setAttribute('aria-labelledby', `${id}-title`);
      svg.setAttribute('aria-describedby', `${id}-description`);
      describe(svg, 'desc', `${id}-description`, description);
      describe(svg, 'title', `${id}-title`, title);
      return new Markup(withoutControls(serializer.serializeToString(svg as never)));
    },
  };
}

/** Channel values that are colours themselves, whatever they look like. */
export function asIs(value: (datum: never) => string): ChannelValueSpec {
  return { value: value as (datum: unknown) => string, scale: null };
}
