// What `--json` prints, as far as the tests read it. Parsed, not believed: a missing field is a failure.

import { z } from 'zod';

const lostRun = z.object({
  firstPage: z.int(),
  pageCount: z.int(),
  pfn: z.int(),
  label: z.string(),
  reason: z.enum(['lost', 'unreachable', 'corrupt', 'not-stored']),
});
export type LostRunAnswer = z.infer<typeof lostRun>;

const underReplicated = z.array(z.object({ name: z.string(), wanted: z.int(), found: z.int() }));

export const uploadAnswer = z.object({
  id: z.string(),
  vm: z.string(),
  evidence: z.object({ kind: z.string() }),
  packCount: z.int(),
  underReplicated,
});

export const listAnswer = z.array(z.object({ id: z.string(), vm: z.string() }));

export const showAnswer = z.object({
  id: z.string(),
  vm: z.string(),
  imageSizeBytes: z.int(),
  labelCounts: z.record(z.string(), z.int()),
  packs: z.array(z.object({ name: z.string(), sizeBytes: z.int(), replication: z.int() })),
  attachments: z.array(z.object({ name: z.string(), sha256: z.string() })),
  bodies: z.array(z.object({ name: z.string(), sha256: z.string() })),
  pageHashes: z.array(z.object({ name: z.string(), sha256: z.string() })),
});

export const restoreAnswer = z.object({
  id: z.string(),
  ram: z.string().nullable(),
  state: z.string().nullable(),
  stream: z.string().nullable(),
  lostPageCount: z.int(),
  lost: z.array(lostRun),
  healing: z.object({
    filledPageCount: z.int(),
    rereadPageCount: z.int(),
    rereadFolioCount: z.int(),
    putBackPageCount: z.int(),
    unhealedPageCount: z.int(),
    unhealed: z.array(lostRun.extend({ why: z.string() })),
  }),
});

/** What a restore says of healing when every page came back. */
export const nothingHealed = {
  filledPageCount: 0,
  rereadPageCount: 0,
  rereadFolioCount: 0,
  putBackPageCount: 0,
  unhealedPageCount: 0,
  unhealed: [],
};

export const verifyAnswer = z.object({
  id: z.string(),
  readData: z.boolean(),
  lostPageCount: z.int(),
  lost: z.array(lostRun),
  wrongFiles: z.array(z.string()),
  underReplicated,
});

/** What `verify` foretells, beside its answer. */
export const verifyForecast = z.object({
  scenarios: z.array(
    z.object({
      without: z.enum(['nothing', 'node', 'single-copies']),
      node: z.string().nullable(),
      lostPageCount: z.int(),
      lostByLabel: z.record(z.string(), z.int()),
      unhealedPageCount: z.int(),
      lostFiles: z.array(z.string()),
      verdict: z.enum(['resumes', 'resumes-with-disk', 'does-not-resume']),
    }),
  ),
  risks: z.array(z.object({ kind: z.string(), sentence: z.string() })),
});

export const deleteAnswer = z.object({
  id: z.string(),
  removed: z.array(z.string()),
  kept: z.array(z.string()),
});

export const errorAnswer = z.strictObject({
  error: z.strictObject({ code: z.string(), message: z.string() }),
});
