// What a NameNode says of a file or folder, held against what can be.

import { maxMomentMs } from '../../flow/bounded.js';
import type { FileCoding } from '../hadoop/erasure-code.js';
import type { StoredFile } from '../store.js';
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

/** `name` is the full one in the store. What makes no sense is said as `problem`: one file must not hide those beside it. */
export function storedFile(name: string, status: HdfsFileStatus): StoredFile {
  const kind = isFolder(status) ? 'folder' : 'file';
  const problem = statusProblem(status);
  if (problem !== undefined) {
    return { name, kind, sizeBytes: 0, modifiedMs: 0, problem };
  }
  return {
    name,
    kind,
    sizeBytes: kind === 'folder' ? 0 : Number(status.length),
    modifiedMs: Number(status.modificationTime),
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
