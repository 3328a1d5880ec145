// From an image to its labels, as classify and upload need them.
import { classify } from '../../introspect/classify.js';
import { findKernelInImage } from '../../introspect/find-kernel.js';
import type { PhysicalMemory } from '../../introspect/memory/physical-memory.js';
import { RawFile } from '../../introspect/memory/raw-file.js';
import type { PageMap } from '../../introspect/page-map.js';
import { exitCodes } from './exit-code.js';

export interface LabelledImage {
  readonly memory: PhysicalMemory;
  readonly map: PageMap;
  readonly close: () => void;
}

/** Takes the file over: it is closed by `close`, or here when labelling fails. */
export function labelImage(file: RawFile): LabelledImage {
  try {
    const introspected = findKernelInImage(file);
    return {
      memory: introspected.memory,
      map: classify(introspected),
      close: () => {
        file.close();
      },
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** 0 when the labels can be trusted; else a code of its own, for work that was done all the same. */
export function exitCodeOfEvidence({ evidence }: PageMap): number {
  switch (evidence.kind) {
    case 'complete':
      return exitCodes.ok;
    case 'no-kernel':
      return exitCodes.noKernel;
    case 'inconsistent':
      return exitCodes.inconsistent;
  }
}
