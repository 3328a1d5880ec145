// What people and scripts are told of how far the labels of an image can be trusted.
import type { PageMap } from '../../../introspect/label/page-map.js';
import { exitCodes } from './exit-code.js';

/** Nothing to say where the CPUs prove which kernel runs, or where there is no kernel. */
export function unprovenLines({ kernelProof }: PageMap): readonly string[] {
  return kernelProof?.proven === false
    ? [
        `Which kernel runs is not proven by the CPUs: ${kernelProof.reason}. ` +
          'The RAM alone shows one kernel and no other; give the device state with --state to prove it.',
      ]
    : [];
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
