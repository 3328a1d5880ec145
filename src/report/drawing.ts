// A picture as what is in it, before it is SVG or PNG. Units are those of the pixel font: a letter is 6 wide.
import type { LabelStyle } from './label-style.js';

export const letterWidth = 6;
export const lineHeight = 12;

export interface DrawnRectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface DrawnText {
  /** Left end, or right end where `alignment` says so. */
  readonly x: number;
  /** Where the letters stand. */
  readonly baseline: number;
  readonly text: string;
  readonly alignment: 'left' | 'right';
  /** Times the size of the pixel font. */
  readonly scale: number;
}

/** Shapes that share a style, so that it is stated once. */
export interface DrawnShapes {
  readonly style: LabelStyle;
  readonly rectangles: readonly DrawnRectangle[];
}

export interface Drawing {
  readonly width: number;
  readonly height: number;
  /** For who cannot see the picture, and for programs that list pictures. */
  readonly title: string;
  readonly description: string;
  readonly shapes: readonly DrawnShapes[];
  /** Drawn as thin outlines. */
  readonly outlines: readonly DrawnRectangle[];
  readonly texts: readonly DrawnText[];
}
