// The picture of `classify --map`, in the format that the file's name asks for.
import type { PageMap } from '../../../introspect/label/page-map.js';
import { ParsError } from '../../../introspect/pars-error.js';

const mapFormats = ['png', 'svg'] as const;
export type MapFormat = (typeof mapFormats)[number];

/** Throws `usage` for a name that says no known format. */
export function mapFormatOf(path: string): MapFormat {
  const format = mapFormats.find((name) => path.toLowerCase().endsWith(`.${name}`));
  if (format === undefined) {
    throw new ParsError(
      'usage',
      `cannot tell the picture's format from ${path}: expected a name that ends in .png or .svg ` +
        '(where the bytes of an image lie is said by --map-file)',
    );
  }
  return format;
}

/** Loads what draws, which nothing else needs. */
export async function drawMap(map: PageMap, format: MapFormat): Promise<Uint8Array> {
  const { memoryPicture } = await import('../../report/memory-picture.js');
  const drawing = memoryPicture(map);
  switch (format) {
    case 'svg':
      return Buffer.from((await import('../../report/svg.js')).drawingToSvg(drawing));
    case 'png':
      return (await import('../../report/png.js')).drawingToPng(drawing);
  }
}
