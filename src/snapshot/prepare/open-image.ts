// From an image to its labels, as classify and upload need them.
import { classify } from '../../../introspect/label/classify.js';
import { findKernel, type Introspected } from '../../../introspect/label/find-kernel.js';
import {
  imageFormats,
  type ImageState,
  type MemoryImage,
} from '../../../introspect/memory/memory-image.js';
import { readCpuStates } from '../../../introspect/memory/device-state.js';
import { openImage } from '../../../introspect/memory/open-image-file.js';
import type { PhysicalMemory } from '../../../introspect/memory/physical-memory.js';
import type { PageMap } from '../../../introspect/label/page-map.js';
import { ParsError } from '../../../introspect/pars-error.js';
import { exitCodes } from '../../cli/shared/exit-code.js';

export interface LabelledImage {
  readonly memory: PhysicalMemory;
  readonly map: PageMap;
  /** The kernel that the labels come from, or why there is none. */
  readonly introspected: Introspected;
  readonly state: ImageState | undefined;
  readonly close: () => void;
}

/** What of the command line says how an image is to be read. */
export interface ImageArguments {
  readonly format?: string;
  readonly mapFile?: string;
  /** The device state of the same moment, beside the image. */
  readonly state?: string | undefined;
}

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
  const cpus = state === undefined ? undefined : readCpuStates(state);
  const image = openImage(path, { format: known, mapPath: mapFile });
  return cpus === undefined ? image : { ...image, cpus };
}

/** Nothing to say where the CPUs prove which kernel runs, or where there is no kernel. */
export function unprovenLines({ kernelProof }: PageMap): readonly string[] {
  return kernelProof?.proven === false
    ? [
        `Which kernel runs is not proven by the CPUs: ${kernelProof.reason}. ` +
          'The RAM alone shows one kernel and no other; give the device state with --state to prove it.',
      ]
    : [];
}

/** Takes the image over: it is closed by `close`, or here when labelling fails. */
export function labelImage(image: MemoryImage): LabelledImage {
  try {
    const introspected = findKernel(image);
    return {
      memory: introspected.memory,
      map: classify(introspected),
      introspected,
      state: image.state,
      close: () => {
        image.close();
      },
    };
  } catch (error) {
    image.close();
    throw error;
  }
}

/** 0 when the labels can be trusted; else a code of its own, for work that was done all the same. */
export function exitCodeOfEvidence({ evidence }: PageMap): number {
  switch (evidence.kind) {
    case 'complete':
    // Whatever is in doubt is kept at full replication, and a warning says so: nothing for a script to act on.
    case 'partial':
      return exitCodes.ok;
    case 'no-kernel':
      return exitCodes.noKernel;
    case 'inconsistent':
      return exitCodes.inconsistent;
  }
}
