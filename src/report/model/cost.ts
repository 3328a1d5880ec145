// What an alternative costs beside room: bytes over the network, time on the link, objects of the NameNode, money.
//
// Copies are made by the cluster: the client sends one, and each DataNode hands it to the next. Parity is made by
// HDFS's client, which sends every unit itself. Read is what holds the data, once.
import { storedBytes } from '../../store/redundancy.js';
import type { Assumptions, Cost, Part } from './report.js';

const terabyte = 1e12;

export function costOf(
  parts: readonly Part[],
  {
    linkBytesPerSecond,
    pricePerTbMonth,
  }: Pick<Assumptions, 'linkBytesPerSecond' | 'pricePerTbMonth'>,
): Cost {
  const sum = (of: (part: Part) => number): number =>
    parts.reduce((total, part) => total + of(part), 0);
  const uploadBytes = sum((part) =>
    part.redundancy.kind === 'copies' ? part.sizeBytes : storedBytesOf(part),
  );
  const restoreBytes = sum(({ sizeBytes }) => sizeBytes);
  const allStoredBytes = sum(storedBytesOf);
  return {
    uploadBytes,
    clusterBytes: allStoredBytes - uploadBytes,
    restoreBytes,
    uploadSeconds: uploadBytes / linkBytesPerSecond,
    restoreSeconds: restoreBytes / linkBytesPerSecond,
    fileCount: sum(({ fileCount }) => fileCount),
    blockCount: sum(({ blockCount }) => blockCount),
    pricePerMonth: pricePerTbMonth === null ? null : (allStoredBytes / terabyte) * pricePerTbMonth,
  };
}

/** On all disks of the cluster together. */
export function storedBytesOf({ redundancy, sizeBytes, fileCount }: Part): number {
  return storedBytes(redundancy, sizeBytes, fileCount);
}
