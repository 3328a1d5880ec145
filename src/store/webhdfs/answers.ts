// The forms of WebHDFS's answers (Hadoop: "WebHDFS REST API", section "JSON Schemas"), as far as they are used.

import { z } from 'zod';
import { boundedArray, moment } from '../../flow/bounded.js';
import type { NamespaceEntry } from '../hadoop/namespace.js';

const size = z.int().min(0);
/** How many entries one page of a listing may have: dfs.ls.limit is 1000 unless a cluster says otherwise. */
const maxPageLength = 100_000;
/** A file of pars is one block; of another program's this would be 1 TiB in blocks of 1 MiB. */
const maxBlockCount = 2 ** 20;
/** No cluster has more DataNodes, and a block is on a few. */
const maxLocationCount = 10_000;

const fileStatus = z.object({
  /** '' for the path itself. */
  pathSuffix: z.string().regex(/^[^/]{0,1024}$/, 'expected a name without a slash'),
  type: z.string().max(64),
  /** Whether these two are possible is asked of each file by itself: `entryOf`. */
  length: z.number(),
  modificationTime: z.number(),
  /** The inode's number: it stays over a rename. HttpFS leaves it out. */
  fileId: z.number().optional(),
  /** Whether the file's blocks are erasure-coded, and by which policy: RS-6-3-1024k. Left out where they are not. */
  ecBit: z.boolean().optional(),
  ecPolicy: z.string().max(1024).optional(),
  /** Copies that a file is to have; 0 of a folder and of a coded file. */
  replication: z.number().optional(),
});
export type FileStatus = z.infer<typeof fileStatus>;

export function isFolder({ type }: FileStatus): boolean {
  return type === 'DIRECTORY';
}

export function entryOf(status: FileStatus): NamespaceEntry {
  return {
    isFolder: isFolder(status),
    sizeBytes: status.length,
    modifiedMs: status.modificationTime,
    problem: statusProblem(status),
  };
}

function statusProblem({ length, modificationTime }: FileStatus): string | undefined {
  if (!size.safeParse(length).success) {
    return `HDFS says that it has ${length} bytes`;
  }
  return moment.safeParse(modificationTime).success
    ? undefined
    : `HDFS says that it changed ${modificationTime} ms after 1970`;
}

export const fileStatusAnswer = z.object({ FileStatus: fileStatus });

export const listingAnswer = z.object({
  DirectoryListing: z.object({
    partialListing: z.object({
      FileStatuses: z.object({ FileStatus: boundedArray(fileStatus, maxPageLength) }),
    }),
    remainingEntries: size,
  }),
});

export const contentSummaryAnswer = z.object({
  ContentSummary: z.object({
    /** 0 for a file. */
    directoryCount: size,
    /** Length times replication, or data and parity where coded: by the file's settings, not by what is alive. */
    spaceConsumed: size,
  }),
});

export const blockLocationsAnswer = z.object({
  BlockLocations: z.object({
    BlockLocation: boundedArray(
      z.object({
        offset: size,
        length: size,
        /** Every copy there is is corrupt. */
        corrupt: z.boolean(),
        /** `address:port` of block transfer. */
        names: boundedArray(z.string().max(1024), maxLocationCount),
      }),
      maxBlockCount,
    ),
  }),
});

export const fileChecksumAnswer = z.object({
  FileChecksum: z.object({ algorithm: z.string(), bytes: z.string() }),
});

/** The room of the whole cluster, live DataNodes only. Hadoop 3.4 and newer. */
export const fsStatusAnswer = z.object({
  FsStatus: z.object({ used: size, remaining: size, capacity: size }),
});

export const locationAnswer = z.object({ Location: z.string() });

export const booleanAnswer = z.object({ boolean: z.boolean() });

/** RENAME with options and others answer an empty body; HttpFS answers a boolean. */
export const booleanOrNothing = booleanAnswer.optional();
