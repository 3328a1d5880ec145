// A drawing as SVG 1.1, with its title and description as alternative text.
import { visibleText } from '../text/visible-text.js';
import type { Drawing, DrawnRectangle, DrawnText } from './drawing.js';
import type { LabelStyle } from './label-style.js';

/** Pixels per unit where nothing says how large the picture is to be. */
const pixelsPerUnit = 2;
/** A monospaced letter is 0.6 of its size wide in nearly every font: 6 units. */
const fontSize = 10;

export function drawingToSvg(drawing: Drawing): string {
  const { width, height, title, description, shapes, outlines, texts } = drawing;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ` +
      `width="${width * pixelsPerUnit}" height="${height * pixelsPerUnit}" ` +
      'role="img" aria-labelledby="title description">',
    `<title id="title">${escape(title)}</title>`,
    `<desc id="description">${escape(description)}</desc>`,
    '<defs>',
    ...shapes.flatMap(({ style }, index) => patternOf(style, index)),
    '</defs>',
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    '<g shape-rendering="crispEdges">',
    ...shapes.map(
      ({ style, rectangles }, index) =>
        `<path fill="${style.texture === 'plain' ? style.fill : `url(#texture${index})`}" ` +
        `d="${rectangles.map(pathOf).join('')}"/>`,
    ),
    `<path fill="none" stroke="#000000" stroke-width="0.5" d="${outlines.map(pathOf).join('')}"/>`,
    '</g>',
    `<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" ` +
      `font-size="${fontSize}" fill="#000000" xml:space="preserve">`,
    ...texts.map(textOf),
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

function pathOf({ x, y, width, height }: DrawnRectangle): string {
  return `M${x} ${y}h${width}v${height}h${-width}z`;
}

function patternOf({ fill, texture, ink }: LabelStyle, index: number): readonly string[] {
  if (texture === 'plain') {
    return [];
  }
  const mark =
    texture === 'hatch'
      ? `<path d="M-1 1l2 -2M0 3l3 -3M2 4l2 -2" stroke="${ink}" stroke-width="0.8"/>`
      : `<rect x="0.5" y="0.5" width="1" height="1" fill="${ink}"/>`;
  return [
    `<pattern id="texture${index}" width="3" height="3" patternUnits="userSpaceOnUse">`,
    `<rect width="3" height="3" fill="${fill}"/>${mark}</pattern>`,
  ];
}

function textOf({ x, baseline, text, alignment, scale }: DrawnText): string {
  const anchor = alignment === 'right' ? ' text-anchor="end"' : '';
  const size = scale === 1 ? '' : ` font-size="${fontSize * scale}"`;
  return `<text x="${x}" y="${baseline}"${anchor}${size}>${escape(text)}</text>`;
}

function escape(text: string): string {
  return visibleText(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
