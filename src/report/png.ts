// A drawing as PNG: a palette of the few colours that are in it, one byte per pixel, title and description as its text.
import { encode } from 'fast-png';
import { visibleText } from '../text/visible-text.js';
import { type Drawing, type DrawnRectangle, type DrawnText, letterWidth } from './drawing.js';
import { type LabelStyle } from './label-style.js';
import { glyphAscent, glyphHeight, glyphWidth, hasDot } from './pixel-font.js';

const pixelsPerUnit = 2;
/** Lines run from lower left to upper right, a third of the pixels. */
const hatchPeriod = 6;
const hatchWidth = 2;
const dotPeriod = 4;
const dotWidth = 2;

export function drawingToPng(drawing: Drawing): Uint8Array {
  const canvas = new Canvas(drawing.width * pixelsPerUnit, drawing.height * pixelsPerUnit);
  for (const { style, rectangles } of drawing.shapes) {
    for (const rectangle of rectangles) {
      canvas.fill(rectangle, style);
    }
  }
  for (const outline of drawing.outlines) {
    canvas.outline(outline);
  }
  for (const text of drawing.texts) {
    canvas.write(text);
  }
  return canvas.encode(drawing);
}

/** PNG's text has no others. */
function latin1Text(text: string): string {
  return visibleText(text).replace(/[^\x20-\x7e\xa0-\xff]/gu, '?');
}

class Canvas {
  readonly #width: number;
  readonly #height: number;
  readonly #pixels: Uint8Array;
  readonly #palette = new Map<string, number>();
  readonly #black: number;

  constructor(width: number, height: number) {
    this.#width = Math.ceil(width);
    this.#height = Math.ceil(height);
    this.#pixels = new Uint8Array(this.#width * this.#height);
    // The first colour is what no shape covers.
    this.#colour('#ffffff');
    this.#black = this.#colour('#000000');
  }

  fill(rectangle: DrawnRectangle, { fill, ink, texture }: LabelStyle): void {
    const plain = this.#colour(fill);
    const mark = this.#colour(ink);
    this.#paint(rectangle, (x, y) => {
      const marked =
        texture === 'hatch'
          ? (x + y) % hatchPeriod < hatchWidth
          : texture === 'dots' && x % dotPeriod < dotWidth && y % dotPeriod < dotWidth;
      return marked ? mark : plain;
    });
  }

  /** One pixel wide, outside what it surrounds. */
  outline({ x, y, width, height }: DrawnRectangle): void {
    const line = 1 / pixelsPerUnit;
    const whole = width + 2 * line;
    const edges = [
      { x: x - line, y: y - line, width: whole, height: line },
      { x: x - line, y: y + height, width: whole, height: line },
      { x: x - line, y, width: line, height },
      { x: x + width, y, width: line, height },
    ];
    for (const edge of edges) {
      this.#paint(edge, () => this.#black);
    }
  }

  write({ x, baseline, text, alignment, scale }: DrawnText): void {
    const left = alignment === 'right' ? x - text.length * letterWidth * scale : x;
    for (let position = 0; position < text.length; position++) {
      for (let line = 0; line < glyphHeight; line++) {
        for (let column = 0; column < glyphWidth; column++) {
          if (hasDot(text.charAt(position), column, line)) {
            const dot = {
              x: left + (position * letterWidth + column) * scale,
              y: baseline + (line - glyphAscent) * scale,
              width: scale,
              height: scale,
            };
            this.#paint(dot, () => this.#black);
          }
        }
      }
    }
  }

  encode({ title, description }: Drawing): Uint8Array {
    return encode({
      width: this.#width,
      height: this.#height,
      data: this.#pixels,
      depth: 8,
      channels: 1,
      palette: [...this.#palette.keys()].map((colour) =>
        [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)),
      ),
      text: { Title: latin1Text(title), Description: latin1Text(description) },
    });
  }

  #paint(
    { x, y, width, height }: DrawnRectangle,
    colourAt: (x: number, y: number) => number,
  ): void {
    const fromX = Math.max(0, Math.round(x * pixelsPerUnit));
    const toX = Math.min(this.#width, Math.round((x + width) * pixelsPerUnit));
    const fromY = Math.max(0, Math.round(y * pixelsPerUnit));
    const toY = Math.min(this.#height, Math.round((y + height) * pixelsPerUnit));
    for (let row = fromY; row < toY; row++) {
      for (let column = fromX; column < toX; column++) {
        this.#pixels[row * this.#width + column] = colourAt(column, row);
      }
    }
  }

  #colour(name: string): number {
    const known = this.#palette.get(name) ?? this.#palette.size;
    this.#palette.set(name, known);
    return known;
  }
}
