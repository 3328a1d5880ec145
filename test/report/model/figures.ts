// Figures of an image of 1000 pages that are easy to reckon with.
import type { ImageFigures } from '../../../src/report/model/image-figures.js';
import type { Assumptions } from '../../../src/report/model/report.js';

export const pageSizeBytes = 4096;

export const assumptions: Assumptions = {
  nodeCount: 12,
  annualFailureRate: 0.05,
  repairHours: 1,
  linkBytesPerSecond: 1e6,
  pricePerTbMonth: 20,
  blockSizeBytes: 128 * 2 ** 20,
};

/** 600 free pages, 100 of them zero; 300 of processes, 50 of them zero; 100 of the kernel. */
export const figures: ImageFigures = {
  imageSizeBytes: 1000 * pageSizeBytes,
  pageCount: 1000,
  labels: [
    { label: 'free', pageCount: 600, zeroPageCount: 100 },
    { label: 'anon', pageCount: 300, zeroPageCount: 50 },
    { label: 'slab', pageCount: 100, zeroPageCount: 0 },
  ],
  policies: [
    {
      policy: 'strict',
      replications: [
        {
          replication: 1,
          nonZeroPageCount: 500,
          packedBytes: 1_000_000,
          zstdPackedBytes: 800_000,
          packCount: 1,
        },
        {
          replication: 3,
          nonZeroPageCount: 350,
          packedBytes: 700_000,
          zstdPackedBytes: 600_000,
          packCount: 2,
        },
      ],
    },
  ],
  uniquePageCount: 800,
  lz4Bytes: 1_800_000,
  zstdBytes: 1_500_000,
};
