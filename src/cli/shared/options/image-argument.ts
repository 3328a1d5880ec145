// The image that a command line names, and how it says that it is to be read.
import { imageFormats, type MemoryImage } from '../../../../introspect/memory/memory-image.js';
import { ParsError } from '../../../../introspect/pars-error.js';
import { openImageWithState } from '../../../snapshot/prepare/open-image.js';

export interface ImageArguments {
  readonly format?: string;
  readonly mapFile?: string;
  /** The device state of the same moment, beside the image. */
  readonly state?: string | undefined;
}

/** Throws `usage` for a format that there is not, and as `openImageWithState` does. */
export function openImageArgument(
  path: string,
  { format, mapFile, state }: ImageArguments,
): MemoryImage {
  const known = imageFormats.find((name) => name === format);
  if (format !== undefined && known === undefined) {
    throw new ParsError(
      'usage',
      `${JSON.stringify(format)} is no format of images: expected one of ${imageFormats.join(', ')}`,
    );
  }
  return openImageWithState(path, { format: known, mapPath: mapFile, statePath: state });
}
