// The map of memory by label: what a script of the page draws and lets its reader zoom, and the same as text and a table
// for who has no script or sees no picture.
import {
  type MemoryRegion,
  pageSizeBytes,
  type Pfn,
} from '../../../../introspect/memory/physical-memory.js';
import { pageClasses, type PageLabel } from '../../../../introspect/page-class.js';
import { labelStyles } from '../../label-style.js';
import { bytesInWords, countOf, shareInWords } from '../../words.js';
import { embeddedJson, type Markup, markup } from '../markup.js';
import { isExpendable, labelLegend, labelOrder, swatch } from '../swatch.js';
import { table } from '../table.js';
import { embedLabels } from './label-runs.js';

export interface MemoryMapData {
  /** The heading of the map, such as `Memory by label`. */
  readonly title: string;
  readonly regions: readonly MemoryRegion[];
  /** One label number per page, in image order. */
  readonly labels: Uint8Array;
}

/** Parts of memory in the table. */
const partLimit = 16;

/** `id` is unlike any other on the page. */
export function memoryMap(id: string, { title, regions, labels }: MemoryMapData): Markup {
  const counts = countsOf(labels, 0, labels.length);
  const present = labelOrder.filter((label) => (counts.get(label) ?? 0) > 0);
  if (present.length === 0) {
    return markup`<p>${title}: the image has no pages.</p>`;
  }
  const embedded = embedLabels(regions, labels);
  const data = {
    ...embedded,
    labels: pageClasses
      .filter(({ label }) => present.includes(label))
      .map(({ number, label, expendable }) => ({
        number,
        label,
        expendable,
        ...labelStyles[label],
      })),
  };
  const cellWords =
    embedded.pagesPerCell === 1
      ? 'Zoomed in, a cell is one page of 4 KiB'
      : `A cell is the label that most of its ${countOf(embedded.pagesPerCell, 'page')} have`;
  return markup`
<figure class="memory-map" id="${id}">
<figcaption>${title}, from the lowest frame to the highest, row by row. ${cellWords}.</figcaption>
<p class="map-fallback">The map is drawn by a script, which has not run here. In words: ${inWords(counts, labels.length)}. The table below has the same by parts of memory.</p>
<div class="map-body" hidden>
<div class="map-tools" role="group" aria-label="Zoom of ${title}">
<button type="button" data-map="in">Zoom in</button>
<button type="button" data-map="out">Zoom out</button>
<button type="button" data-map="all">Whole memory</button>
<span class="map-zoom"></span>
</div>
<p class="map-readout" aria-hidden="true">Point at the map, or choose it and use the keyboard.</p>
<div class="map-frame">
<div class="map-axis" aria-hidden="true"></div>
<div class="map-view" tabindex="0" role="application" aria-roledescription="memory map" aria-label="${title}" aria-describedby="${id}-keys"><canvas aria-hidden="true"></canvas></div>
</div>
<p class="map-keys" id="${id}-keys">Keyboard: arrows move the cursor, with Shift further; + and - zoom; Home shows all. Mouse: click, then the wheel zooms; drag moves.</p>
<p class="unseen" role="status" aria-live="polite"></p>
</div>
${labelLegend(present)}
<script type="application/json">${embeddedJson(data)}</script>
</figure>
${partsTable(id, title, regions, labels)}`;
}

function countsOf(labels: Uint8Array, start: number, end: number): ReadonlyMap<PageLabel, number> {
  const numbers = new Uint32Array(256);
  for (let index = start; index < end; index++) {
    numbers[labels[index]]++;
  }
  return new Map(pageClasses.map(({ label, number }) => [label, numbers[number]]));
}

function inWords(counts: ReadonlyMap<PageLabel, number>, total: number): string {
  return byCount(counts)
    .map(([label, count]) => `${label} ${shareInWords(count, total)}`)
    .join(', ');
}

function byCount(counts: ReadonlyMap<PageLabel, number>): readonly [PageLabel, number][] {
  return [...counts].filter(([, count]) => count > 0).sort(([, a], [, b]) => b - a);
}

interface Part {
  readonly start: number;
  readonly end: number;
  readonly counts: ReadonlyMap<PageLabel, number>;
}

function partsTable(
  id: string,
  title: string,
  regions: readonly MemoryRegion[],
  labels: Uint8Array,
): Markup {
  const pageCount = 2 ** Math.ceil(Math.log2(labels.length / partLimit));
  const size = Math.max(1, pageCount);
  const parts: Part[] = [];
  for (let start = 0; start < labels.length; start += size) {
    const end = Math.min(start + size, labels.length);
    parts.push({ start, end, counts: countsOf(labels, start, end) });
  }
  const frame = (index: number): string => `0x${pfnOf(regions, index).toString(16)}`;
  return markup`
<details>
<summary>${title} as a table</summary>
${table<Part>({
  id: `${id}-parts`,
  caption: `${title}, by parts of ${bytesInWords(size * pageSizeBytes)}`,
  columns: [
    {
      title: 'Frames',
      alignment: 'left',
      isRowHeader: true,
      cell: ({ start, end }) => markup`<code>${frame(start)} to ${frame(end - 1)}</code>`,
    },
    {
      title: 'Expendable',
      alignment: 'right',
      cell: ({ start, end, counts }) => {
        const expendable = [...counts].filter(([label]) => isExpendable(label));
        return shareInWords(
          expendable.reduce((sum, [, count]) => sum + count, 0),
          end - start,
        );
      },
    },
    {
      title: 'Mostly',
      alignment: 'left',
      cell: ({ start, end, counts }) =>
        byCount(counts)
          .slice(0, 3)
          .map(
            ([label, count]) =>
              markup`<span class="whole">${swatch(label)} ${label} ${shareInWords(count, end - start)}</span> `,
          ),
    },
  ],
  rows: parts,
})}
</details>`;
}

/** The frame of the page at that place in the image. */
function pfnOf(regions: readonly MemoryRegion[], pageIndex: number): Pfn {
  const offset = pageIndex * pageSizeBytes;
  const region = regions.findLast(({ imageOffset }) => imageOffset <= offset) ?? regions[0];
  return (region.gpaStart + offset - region.imageOffset) / pageSizeBytes;
}
