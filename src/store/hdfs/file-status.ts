// What a NameNode says of a file or folder, held against what can be.

import { maxMomentMs } from '../../flow/bounded.js';
import type { FileCoding } from '../hadoop/erasure-code.js';
import type { NamespaceEntry } from '../hadoop/namespace.js';
import { type ErasureCodingPolicy, fileTypes, type HdfsFileStatus } from './proto/hdfs.js';

/** SystemErasureCodingPolicies, of which only the numbers are sent. */
const systemPolicies: Readonly<Partial<Record<number, string>>> = {
  1: 'RS-6-3-1024k',
  2: 'RS-3-2-1024k',
  3: 'RS-LEGACY-6-3-1024k',
  4: 'XOR-2-1-1024k',
  5: 'RS-10-4-1024k',
};

export function fileCodingOf(policy: ErasureCodingPolicy | undefined): FileCoding {
  if (policy === undefined) {
    return {};
  }
  return { ecBit: true, ecPolicy: policy.name ?? systemPolicies[policy.id] };
}

export function isFolder({ fileType }: HdfsFileStatus): boolean {
  return fileType === fileTypes.folder;
}

export function entryOf(status: HdfsFileStatus): NamespaceEntry {
  return {
    isFolder: isFolder(status),
    sizeBytes: Number(status.length),
    modifiedMs: Number(status.modificationTime),
    problem: statusProblem(status),
  };
}

function statusProblem({ length, modificationTime }: HdfsFileStatus): string | undefined {
  if (length > Number.MAX_SAFE_INTEGER) {
    return `HDFS says that it has ${length} bytes`;
  }
  return modificationTime > maxMomentMs
    ? `HDFS says that it changed ${modificationTime} ms after 1970`
    : undefined;
}
