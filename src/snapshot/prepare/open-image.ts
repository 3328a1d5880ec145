// From an image to its labels, as classify, report and upload need them.
import { classify } from '../../../introspect/label/classify.js';
import { findKernel, type Introspected } from '../../../introspect/label/find-kernel.js';
import type { PageMap } from '../../../introspect/label/page-map.js';
import { readCpuStates } from '../../../introspect/memory/device-state.js';
import type {
  ImageFormat,
  ImageState,
  MemoryImage,
} from '../../../introspect/memory/memory-image.js';
import { openImage } from '../../../introspect/memory/open-image-file.js';
import type { PhysicalMemory } from '../../../introspect/memory/physical-memory.js';

export interface LabelledImage {
  readonly memory: PhysicalMemory;
  readonly map: PageMap;
  /** The kernel that the labels come from, or why there is none. */
  readonly introspected: Introspected;
  readonly state: ImageState | undefined;
  readonly close: () => void;
}

/** What there is to say of how an image is to be read. */
export interface ImageReading {
  readonly format?: ImageFormat | undefined;
  readonly mapPath?: string | undefined;
  /** The device state of the same moment, beside the image. */
  readonly statePath?: string | undefined;
}

/** With the CPUs of the device state, where one is given. */
export function openImageWithState(
  path: string,
  { format, mapPath, statePath }: ImageReading,
): MemoryImage {
  const cpus = statePath === undefined ? undefined : readCpuStates(statePath);
  const image = openImage(path, { format, mapPath });
  return cpus === undefined ? image : { ...image, cpus };
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
