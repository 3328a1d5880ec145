// The forms of WebHDFS's answers (Hadoop: "WebHDFS REST API", section "JSON Schemas"), as far as they are used.

import { z } from 'zod';

const fileStatus = z.object({
  /** '' for the path itself. */
  pathSuffix: z.string(),
  type: z.string(),
  length: z.number(),
  modificationTime: z.number(),
  /** The inode's number: it stays over a rename. HttpFS leaves it out. */
  fileId: z.number().optional(),
});
export type FileStatus = z.infer<typeof fileStatus>;

export const fileStatusAnswer = z.object({ FileStatus: fileStatus });

export const listingAnswer = z.object({
  DirectoryListing: z.object({
    partialListing: z.object({ FileStatuses: z.object({ FileStatus: z.array(fileStatus) }) }),
    remainingEntries: z.number(),
  }),
});

export const contentSummaryAnswer = z.object({
  ContentSummary: z.object({
    /** 0 for a file. */
    directoryCount: z.number(),
    /** Length times replication, or data and parity where coded: by the file's settings, not by what is alive. */
    spaceConsumed: z.number(),
  }),
});

export const blockLocationsAnswer = z.object({
  BlockLocations: z.object({
    BlockLocation: z.array(
      z.object({
        offset: z.number(),
        length: z.number(),
        /** Every copy there is is corrupt. */
        corrupt: z.boolean(),
        /** `address:port` of block transfer. */
        names: z.array(z.string()),
      }),
    ),
  }),
});

export const fileChecksumAnswer = z.object({
  FileChecksum: z.object({ algorithm: z.string(), bytes: z.string() }),
});

/** Of the whole cluster, live DataNodes only. Hadoop 3.4 and newer. */
export const fsStatusAnswer = z.object({
  FsStatus: z.object({ used: z.number(), remaining: z.number(), capacity: z.number() }),
});

export const locationAnswer = z.object({ Location: z.string() });

export const booleanAnswer = z.object({ boolean: z.boolean() });

/** RENAME with options and others answer an empty body; HttpFS answers a boolean. */
export const booleanOrNothing = booleanAnswer.optional();
