// What is kept of one moment of a guest. Numbers and words only, as it goes through JSON.
import type { Evidence } from '../../../introspect/label/page-map.js';
import type { ProofCount } from '../../../src/disk/prove-pages.js';
import type { ImageFigures } from '../../../src/report/model/image-figures.js';

export interface SnapshotFigures {
  readonly evidence: Evidence;
  readonly warnings: readonly string[];
  readonly image: ImageFigures;
  /** What of the page cache the disk of the same moment holds byte for byte. */
  readonly diskHeld: readonly ProofCount[];
  /** What makedumpfile -d 31 makes of the same RAM; absent where it was not asked. */
  readonly dump?: DumpResult;
}

export type DumpResult = { readonly sizeBytes: number } | { readonly failure: string };
