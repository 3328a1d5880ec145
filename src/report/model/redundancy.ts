// What keeping bytes against loss takes on disk: whole copies, or Reed-Solomon stripes as HDFS lays them out.
//
// A coded file is cut into stripes of d cells, and each stripe has p cells of parity, as long as its longest cell. So the
// last stripe of a file may cost more than p / d of its bytes, and one cell alone costs as much as p + 1 copies of it
// (Apache Hadoop, "HDFS Erasure Coding"; its StripedBlockUtil.spaceConsumedByStripedBlock counts the same).
import type { Part, Redundancy } from './report.js';

/** Of the policies that are named -1024k. Blocks are a multiple of it, so no stripe lies across two groups. */
const cellSizeBytes = 2 ** 20;

/** Of a group: the copies of a block, or its units of data and of parity. Each lies on another node. */
export function unitCountOf(redundancy: Redundancy): number {
  return redundancy.kind === 'replication'
    ? redundancy.copies
    : redundancy.dataUnits + redundancy.parityUnits;
}

/** So many units of a group must be left for it to be read. */
export function neededUnitCountOf(redundancy: Redundancy): number {
  return redundancy.kind === 'replication' ? 1 : redundancy.dataUnits;
}

/** On all disks together. Of several files, which are taken to be equally long. */
export function storedBytes({
  redundancy,
  sizeBytes,
  fileCount,
}: Pick<Part, 'redundancy' | 'sizeBytes' | 'fileCount'>): number {
  if (redundancy.kind === 'replication') {
    return sizeBytes * redundancy.copies;
  }
  return fileCount === 0
    ? 0
    : sizeBytes + fileCount * parityBytes(sizeBytes / fileCount, redundancy);
}

/** Of one file: its blocks, or its groups, each as long as the blocks of its data units together. */
export function blockCountOf(
  sizeBytes: number,
  blockSizeBytes: number,
  redundancy: Redundancy,
): number {
  return Math.ceil(sizeBytes / (blockSizeBytes * neededUnitCountOf(redundancy)));
}

function parityBytes(
  sizeBytes: number,
  { dataUnits, parityUnits }: Extract<Redundancy, { kind: 'erasure-coding' }>,
): number {
  const stripeSizeBytes = dataUnits * cellSizeBytes;
  const fullStripeCount = Math.floor(sizeBytes / stripeSizeBytes);
  const restBytes = sizeBytes - fullStripeCount * stripeSizeBytes;
  return parityUnits * (fullStripeCount * cellSizeBytes + Math.min(restBytes, cellSizeBytes));
}
