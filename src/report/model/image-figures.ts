// What of an image's bytes a comparison needs, counted once over the whole image (src/measure). Numbers only.
import type { PageLabel } from '../../../introspect/page-class.js';
import type { PolicyName } from '../../plan/policy.js';

export interface LabelFigures {
  readonly label: PageLabel;
  readonly pageCount: number;
  /** Undefined where no copy says it: pages that are not stored. */
  readonly zeroPageCount: number | undefined;
}

/** What PARS stores with so many copies: pages that are not zero, and what packs of them take. */
export interface ReplicationFigures {
  /** 1..10. */
  readonly replication: number;
  readonly nonZeroPageCount: number;
  /**
   * The size of one copy of the packs: by lz4 where the image was measured, which is the most that an upload takes that was not
   * told otherwise; else as they are stored. Undefined where nobody compressed them.
   */
  readonly packedBytes: number | undefined;
  /** The size of one copy of the packs by zstd, at its usual level. Undefined where nobody measured that. */
  readonly zstdPackedBytes: number | undefined;
  readonly packCount: number;
}

export interface PolicyFigures {
  readonly policy: PolicyName;
  /** Ascending by replication; what is not stored is left out. */
  readonly replications: readonly ReplicationFigures[];
}

/** Bytes of one copy. Undefined: not measured. */
export interface ImageFigures {
  readonly imageSizeBytes: number;
  readonly pageCount: number;
  /** By label number. */
  readonly labels: readonly LabelFigures[];
  readonly policies: readonly PolicyFigures[];
  /** Different pages, the zero page not counted. */
  readonly uniquePageCount: number | undefined;
  /** The whole file, as the `lz4` program makes it by default: blocks of 4 MiB. */
  readonly lz4Bytes: number | undefined;
  /** The whole file, at zstd's level 3. */
  readonly zstdBytes: number | undefined;
}
