// How bytes are kept against loss, and what that takes: whole copies, or Reed-Solomon stripes as HDFS lays them out. Pure.
//
// A coded file is cut into stripes of d cells, and each stripe has p cells of parity, as long as its longest cell. So the
// last stripe of a file may cost more than p / d of its bytes, and one cell alone costs as much as p + 1 copies of it
// (Apache Hadoop, "HDFS Erasure Coding"; its StripedBlockUtil.spaceConsumedByStripedBlock counts the same).

export type Redundancy =
  | { readonly kind: 'copies'; readonly count: number }
  | {
      readonly kind: 'reed-solomon';
      readonly dataUnitCount: number;
      readonly parityUnitCount: number;
    };

export type ReedSolomon = Extract<Redundancy, { kind: 'reed-solomon' }>;

/** The cell of HDFS's policies that are named -1024k. Blocks are a multiple of it, so no stripe lies across two groups. */
const cellSizeBytes = 2 ** 20;

export function copies(count: number): Redundancy {
  return { kind: 'copies', count };
}

export function reedSolomon(dataUnitCount: number, parityUnitCount: number): ReedSolomon {
  return { kind: 'reed-solomon', dataUnitCount, parityUnitCount };
}

/** Places that a block takes, or a group where it is coded: each copy or unit of it lies on another node. */
export function placeCount(redundancy: Redundancy): number {
  return redundancy.kind === 'copies'
    ? redundancy.count
    : redundancy.dataUnitCount + redundancy.parityUnitCount;
}

/** So many of its places must be left for a block to be read. */
export function neededPlaceCount(redundancy: Redundancy): number {
  return redundancy.kind === 'copies' ? 1 : redundancy.dataUnitCount;
}

/**
 * So many of its places can go, whichever they are, and a block can still be read. Below 0 where `takenCount`, the places
 * that it got, are too few from the start, as on a cluster with too few nodes.
 */
export function survivedLossCount(
  redundancy: Redundancy,
  takenCount = placeCount(redundancy),
): number {
  return takenCount - neededPlaceCount(redundancy);
}

/** On all disks together. Of several files, which are taken to be equally long, `sizeBytes` is the sum of them. */
export function storedBytes(redundancy: Redundancy, sizeBytes: number, fileCount = 1): number {
  if (redundancy.kind === 'copies') {
    return sizeBytes * redundancy.count;
  }
  return fileCount === 0
    ? 0
    : sizeBytes + fileCount * parityBytes(sizeBytes / fileCount, redundancy);
}

/** How many blocks a file has, or how many groups, each as long as the blocks of its data units together. */
export function blockCountOf(
  redundancy: Redundancy,
  sizeBytes: number,
  blockSizeBytes: number,
): number {
  return Math.ceil(sizeBytes / (blockSizeBytes * neededPlaceCount(redundancy)));
}

/** `3 copies`; a code by the name that HDFS has for it, `RS-6-3`. */
export function redundancyInWords(redundancy: Redundancy): string {
  if (redundancy.kind === 'reed-solomon') {
    return `RS-${redundancy.dataUnitCount}-${redundancy.parityUnitCount}`;
  }
  return redundancy.count === 1 ? '1 copy' : `${redundancy.count} copies`;
}

function parityBytes(sizeBytes: number, { dataUnitCount, parityUnitCount }: ReedSolomon): number {
  const stripeSizeBytes = dataUnitCount * cellSizeBytes;
  const fullStripeCount = Math.floor(sizeBytes / stripeSizeBytes);
  const restBytes = sizeBytes - fullStripeCount * stripeSizeBytes;
  return parityUnitCount * (fullStripeCount * cellSizeBytes + Math.min(restBytes, cellSizeBytes));
}
