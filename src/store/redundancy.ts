// How bytes are kept against loss, and what that takes: whole copies, or Reed-Solomon stripes as HDFS lays them out. Pure.
// A code is named as HDFS names its policies: codec, data units, parity units and cell, RS-6-3-1024k; people write rs-6-3.
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
      /** As HDFS's policies name it. That of XOR has one unit of parity, and whichever unit goes comes back from the others. */
      readonly codec: CodecName;
      /** Blocks are a multiple of it, so no stripe lies across two groups. */
      readonly cellSizeBytes: number;
    };

export type ReedSolomon = Extract<Redundancy, { kind: 'reed-solomon' }>;

const codecNames = ['RS', 'RS-LEGACY', 'XOR'] as const;
export type CodecName = (typeof codecNames)[number];

/** All policies that Hadoop itself brings have cells of 1 MiB. */
const usualCellSizeBytes = 2 ** 20;
const kibibyte = 1024;
/** Hadoop's Reed-Solomon counts in GF(256). */
const maxUnitCount = 255;
const maxCellSizeKib = 2 ** 20;

export const erasureCodeForm = 'a code such as rs-6-3, rs-3-2, rs-10-4 or RS-6-3-1024k';

export function copies(count: number): Redundancy {
  return { kind: 'copies', count };
}

/** The code that HDFS has as RS, in cells of 1 MiB. */
export function reedSolomon(dataUnitCount: number, parityUnitCount: number): ReedSolomon {
  return {
    kind: 'reed-solomon',
    dataUnitCount,
    parityUnitCount,
    codec: 'RS',
    cellSizeBytes: usualCellSizeBytes,
  };
}

/** Reads `rs-6-3` and HDFS's own `RS-6-3-1024k`, in any case of letters. Undefined for any other text. */
export function parseErasureCode(text: string): ReedSolomon | undefined {
  const match =
    /^(rs|rs-legacy|xor)-([1-9][0-9]{0,2})-([1-9][0-9]{0,2})(?:-([1-9][0-9]{0,6})k)?$/i.exec(text);
  const codec = codecNames.find((name) => name === match?.[1].toUpperCase());
  if (match === null || codec === undefined) {
    return undefined;
  }
  const [dataUnitCount, parityUnitCount] = [Number(match[2]), Number(match[3])];
  const cellSizeKib = Number((match as readonly (string | undefined)[])[4] ?? 1024);
  const isPossible =
    dataUnitCount + parityUnitCount <= maxUnitCount &&
    cellSizeKib <= maxCellSizeKib &&
    (codec !== 'XOR' || parityUnitCount === 1);
  return isPossible
    ? {
        kind: 'reed-solomon',
        dataUnitCount,
        parityUnitCount,
        codec,
        cellSizeBytes: cellSizeKib * kibibyte,
      }
    : undefined;
}

/** As HDFS names its policy: RS-6-3-1024k. */
export function ecPolicyName(code: ReedSolomon): string {
  const { codec, dataUnitCount, parityUnitCount, cellSizeBytes } = code;
  return `${codec}-${dataUnitCount}-${parityUnitCount}-${cellSizeBytes / kibibyte}k`;
}

/** A redundancy as it stands in a list of files, most of which are copies. */
export type CopiesOrCode =
  | { readonly replication: number; readonly code?: undefined }
  | { readonly replication?: undefined; readonly code: ReedSolomon };

export function redundancyOf({ replication, code }: CopiesOrCode): Redundancy {
  return code ?? copies(replication);
}

export function copiesOrCode(redundancy: Redundancy): CopiesOrCode {
  return redundancy.kind === 'copies' ? { replication: redundancy.count } : { code: redundancy };
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

/** So many copies would survive the loss of as many nodes. */
export function copiesWorth(redundancy: Redundancy): number {
  return survivedLossCount(redundancy) + 1;
}

/** `3 copies`; a code by the name that HDFS has for it, without the usual cell: `RS-6-3`. */
export function redundancyInWords(redundancy: Redundancy): string {
  if (redundancy.kind === 'reed-solomon') {
    const name = ecPolicyName(redundancy);
    return redundancy.cellSizeBytes === usualCellSizeBytes ? name.replace(/-1024k$/, '') : name;
  }
  return redundancy.count === 1 ? '1 copy' : `${redundancy.count} copies`;
}

function parityBytes(
  sizeBytes: number,
  { dataUnitCount, parityUnitCount, cellSizeBytes }: ReedSolomon,
): number {
  const stripeSizeBytes = dataUnitCount * cellSizeBytes;
  const fullStripeCount = Math.floor(sizeBytes / stripeSizeBytes);
  const restBytes = sizeBytes - fullStripeCount * stripeSizeBytes;
  return parityUnitCount * (fullStripeCount * cellSizeBytes + Math.min(restBytes, cellSizeBytes));
}
