// The picture of `classify --map`: memory in rows from the lowest frame to the highest, coloured by label, beside it the
// frame numbers and a legend with how many pages each label has.
import { countLabels } from '../../introspect/label/counters.js';
import type { PageMap } from '../../introspect/label/page-map.js';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { labelNumbers, pageClasses, type PageLabel } from '../../introspect/page-class.js';
import { shortVisibleText } from '../text/visible-text.js';
import {
  type Drawing,
  type DrawnRectangle,
  type DrawnShapes,
  type DrawnText,
  letterWidth,
  lineHeight,
} from './drawing.js';
import { labelGroups, labelStyles } from './label-style.js';
import { type MemoryCells, memoryCells, type MemoryRow, noLabel } from './memory-cells.js';

const margin = 14;
const gridWidth = 512;
const gridTop = 76;
const axisWidth = 12 * letterWidth;
const legendGap = 24;
const legendWidth = 40 * letterWidth;
const swatchWidth = 16;
const swatchHeight = 9;
/** Between rows that are no neighbours in memory. */
const holeHeight = 14;
/** From one frame number at the axis to the next. */
const tickDistance = 32;
const titleScale = 2;
/** Kernels have no longer ones (include/uapi/linux/utsname.h), and there is no room for more. */
const maxReleaseLength = 64;

export function memoryPicture(map: PageMap): Drawing {
  const cells = memoryCells(map.regions, map.labels);
  const left = margin + axisWidth;
  const grid = placeRows(cells);
  const legend = drawLegend(map, left + gridWidth + legendGap);
  const sentences = describe(map, cells);
  const texts = [
    text(margin, margin + 14, 'Guest memory by label', titleScale),
    ...sentences.map((sentence, index) =>
      text(margin, margin + 14 + (index + 1) * lineHeight, sentence),
    ),
    ...grid.texts,
    ...legend.texts,
  ];
  return {
    width: left + gridWidth + legendGap + legendWidth + margin,
    height: Math.max(grid.bottom, legend.bottom) + margin,
    title: 'Guest memory by label',
    description: [...sentences, ...legend.sentences].join('. '),
    shapes: mergeShapes([...grid.shapes, ...legend.shapes]),
    outlines: [...grid.outlines, ...legend.outlines],
    texts,
  };
}

function describe({ kernel, evidence, labels }: PageMap, cells: MemoryCells): readonly string[] {
  const pagesPerRow = cells.columnCount * cells.pagesPerCell;
  const { pagesPerCell } = cells;
  return [
    `${kernel === undefined ? 'No kernel found' : `Linux ${shortVisibleText(kernel.release, maxReleaseLength)}`}, ` +
      `${labels.length} pages of 4 KiB (${sizeOf(labels.length)})` +
      (evidence.kind === 'complete' ? '' : `, evidence ${evidence.kind}`),
    `Row by row, ${pagesPerRow} frames (${sizeOf(pagesPerRow)}) each; ` +
      (pagesPerCell === 1
        ? 'a cell is one page'
        : `a cell is the label that most of its ${pagesPerCell} pages have`),
  ];
}

/** Exact for the powers of two that rows and cells are, and near enough for an image. */
function sizeOf(pageCount: number): string {
  const sizeBytes = pageCount * pageSizeBytes;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let value = sizeBytes / 1024;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toFixed(1))} ${units[unit]}`;
}

function text(
  x: number,
  baseline: number,
  content: string,
  scale = 1,
  alignment: DrawnText['alignment'] = 'left',
): DrawnText {
  return { x, baseline, text: content, alignment, scale };
}

interface Shape {
  readonly label: number;
  readonly rectangle: DrawnRectangle;
}

function placeRows({ columnCount, pagesPerCell, rows }: MemoryCells) {
  const left = margin + axisWidth;
  const cellWidth = gridWidth / columnCount;
  const pagesPerRow = columnCount * pagesPerCell;
  const shapes: Shape[] = [];
  const outlines: DrawnRectangle[] = [];
  const texts: DrawnText[] = [
    text(left - letterWidth, gridTop - 4, 'frame', 1, 'right'),
    text(left, gridTop - 4, '+0x0'),
    text(left + gridWidth / 2, gridTop - 4, `+0x${(pagesPerRow / 2).toString(16)}`),
  ];
  let y = gridTop;
  let blockTop = y;
  let lastTick = -Infinity;
  rows.forEach((row, index) => {
    const isNeighbour = index > 0 && rows[index - 1].firstPfn + pagesPerRow === row.firstPfn;
    if (index > 0 && !isNeighbour) {
      outlines.push({ x: left, y: blockTop, width: gridWidth, height: y - blockTop });
      const missing = row.firstPfn - rows[index - 1].firstPfn - pagesPerRow;
      texts.push(
        text(left, y + holeHeight - 4, `(${missing} frames, ${sizeOf(missing)}: not in the image)`),
      );
      y += holeHeight;
      blockTop = y;
      lastTick = -Infinity;
    }
    if (y - lastTick >= tickDistance) {
      texts.push(text(left - letterWidth, y + 8, `0x${row.firstPfn.toString(16)}`, 1, 'right'));
      lastTick = y;
    }
    shapes.push(...runsOf(row, left, y, cellWidth));
    y += cellWidth;
  });
  outlines.push({ x: left, y: blockTop, width: gridWidth, height: y - blockTop });
  return { shapes, outlines, texts, bottom: y };
}

/** Neighbouring cells of one label as one rectangle. */
function runsOf({ cells }: MemoryRow, left: number, y: number, cellWidth: number): Shape[] {
  const shapes: Shape[] = [];
  let from = 0;
  for (let column = 1; column <= cells.length; column++) {
    if (column < cells.length && cells[column] === cells[from]) {
      continue;
    }
    if (cells[from] !== noLabel) {
      const rectangle = {
        x: left + from * cellWidth,
        y,
        width: (column - from) * cellWidth,
        height: cellWidth,
      };
      shapes.push({ label: cells[from], rectangle });
    }
    from = column;
  }
  return shapes;
}

/** By style; rectangles that lie on each other and are as wide become one. */
function mergeShapes(shapes: readonly Shape[]): readonly DrawnShapes[] {
  const byLabel = new Map<number, DrawnRectangle[]>();
  /** Where in its label's list the rectangle is that ends at that place. */
  const open = new Map<string, number>();
  for (const { label, rectangle } of shapes) {
    const list = byLabel.get(label) ?? [];
    byLabel.set(label, list);
    const { x, y, width, height } = rectangle;
    const above = open.get(`${label} ${x} ${width} ${y}`);
    if (above === undefined) {
      list.push(rectangle);
      open.set(`${label} ${x} ${width} ${y + height}`, list.length - 1);
    } else {
      const whole = { ...list[above], height: list[above].height + height };
      list[above] = whole;
      open.delete(`${label} ${x} ${width} ${y}`);
      open.set(`${label} ${x} ${width} ${y + height}`, above);
    }
  }
  return [...byLabel].map(([label, rectangles]) => ({
    style: labelStyles[pageClasses[label].label],
    rectangles,
  }));
}

function drawLegend({ labels }: PageMap, left: number) {
  const counts = countLabels(labels);
  const countOf = (label: PageLabel): number => counts[labelNumbers[label]];
  const shapes: Shape[] = [];
  const outlines: DrawnRectangle[] = [];
  const sentences: string[] = [];
  const pagesAt = left + legendWidth - 9 * letterWidth;
  const shareAt = left + legendWidth;
  const texts: DrawnText[] = [
    text(pagesAt, gridTop - 4, 'pages', 1, 'right'),
    text(shareAt, gridTop - 4, 'share', 1, 'right'),
  ];
  let baseline = gridTop + 8;
  for (const { title, labels: members } of labelGroups) {
    const present = members.filter((label) => countOf(label) > 0);
    if (present.length === 0) {
      continue;
    }
    texts.push(text(left, baseline, title));
    baseline += lineHeight;
    for (const label of present) {
      const rectangle = {
        x: left,
        y: baseline - swatchHeight + 1,
        width: swatchWidth,
        height: swatchHeight,
      };
      shapes.push({ label: labelNumbers[label], rectangle });
      outlines.push(rectangle);
      const share = shareOf(countOf(label), labels.length);
      texts.push(
        text(left + swatchWidth + letterWidth, baseline, label),
        text(pagesAt, baseline, String(countOf(label)), 1, 'right'),
        text(shareAt, baseline, share, 1, 'right'),
      );
      sentences.push(`${label}: ${countOf(label)} pages, ${share}`);
      baseline += lineHeight;
    }
    baseline += lineHeight / 2;
  }
  return { shapes, outlines, texts, sentences, bottom: baseline - lineHeight };
}

/** A label that is there never reads as 0. */
function shareOf(count: number, total: number): string {
  const percent = (count / total) * 100;
  return percent < 0.05 ? '< 0.1 %' : `${percent.toFixed(1)} %`;
}
