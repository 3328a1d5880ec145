// A report as numbers, apart from how it is shown. The schema here is what `--json` prints and report.schema.json
// publishes. Units stand last in the names; fractions are of 1; what could not be had is null.
//
// A redundancy has other words in published JSON than in a Report: a schema parses the one into the other, and
// published-report.ts goes back.
import { z } from 'zod';
import { pageClasses } from '../../../introspect/page-class.js';
import { copies, type Redundancy, reedSolomon } from '../../store/redundancy.js';

export const reportVersion = 1;

const bytes = z.number().nonnegative();
const count = z.int().nonnegative();
/** 1 - chosen / native: negative where the choice takes more. */
const saving = z.number().max(1);
const probability = z.number().min(0).max(1);
const label = z.enum(pageClasses.map((entry) => entry.label)).meta({ id: 'label' });

/** Where a figure comes from. */
export const basisSchema = z.enum([
  // What the store itself says it holds: sizes of stored files, space consumed.
  'stored',
  // The bytes of this image, counted or compressed.
  'measured',
  // By the formula that stands with it.
  'computed',
]);

/** How bytes are kept against loss, in the words of the published schema. */
export const redundancySchema = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('replication'), copies: z.int().min(1).max(10) }),
    // Reed-Solomon in stripes of cells of 1 MiB, as HDFS's RS-6-3-1024k.
    z.object({ kind: z.literal('erasure-coding'), dataUnits: count, parityUnits: count }),
  ])
  .transform((published): Redundancy =>
    published.kind === 'replication'
      ? copies(published.copies)
      : reedSolomon(published.dataUnits, published.parityUnits),
  )
  .meta({ id: 'redundancy' });

/** Files of an alternative that are kept alike. */
export const partSchema = z
  .object({
    redundancy: redundancySchema,
    /** One copy, without redundancy. */
    sizeBytes: bytes,
    fileCount: count,
    /** HDFS blocks, or groups of blocks where coded: what the NameNode holds beside the files. */
    blockCount: count,
    /** What becomes of the guest without it. */
    ifLost: z.enum(['does-not-resume', 'heals']),
  })
  .meta({ id: 'part' });

/** With that many nodes of the cluster gone at once. */
export const nodeLossSchema = z
  .object({
    nodeCount: z.int().positive(),
    /** The probability that the guest cannot be resumed from what is left. */
    doesNotResume: probability,
    /** The probability that the guest can be resumed from what is left once it is healed. */
    heals: probability,
    basis: z.enum([
      // Every choice of nodes held against the real block locations.
      'placement',
      // Copies spread evenly and independently.
      'computed',
    ]),
  })
  .meta({ id: 'node-loss' });

export const riskSchema = z
  .object({
    nodeLosses: z.array(nodeLossSchema),
    /** The probabilities within a year, by the assumptions. */
    perYear: z.object({ doesNotResume: probability, heals: probability }),
  })
  .meta({ id: 'risk' });

export const costSchema = z
  .object({
    /** From the client. */
    uploadBytes: bytes,
    /** From node to node. */
    clusterBytes: bytes,
    restoreBytes: bytes,
    /** At the assumed link, which is taken as the narrowest place. */
    uploadSeconds: z.number(),
    restoreSeconds: z.number(),
    /** What the NameNode holds in memory. */
    fileCount: count,
    blockCount: count,
    /** In the unit of the price given. */
    pricePerMonth: z.number().nullable(),
  })
  .meta({ id: 'cost' });

export const familySchema = z.enum([
  'native',
  'compressed',
  'deduplicated',
  'erasure-coded',
  'dump',
  'pars',
]);

export const alternativeSchema = z
  .object({
    /** Stable, such as `raw-r3` or `pars-strict`. */
    id: z.string(),
    title: z.string(),
    family: familySchema,
    parts: z.array(partSchema),
    /** On all disks of the cluster together. */
    storedBytes: bytes,
    /** Against `raw-r3`. */
    savingFraction: saving,
    basis: basisSchema,
    /** How storedBytes comes about, in words. */
    formula: z.string(),
    /** With nothing lost. */
    resumes: z.boolean(),
    /** A condition or a warning; null when there is none. */
    note: z.string().nullable(),
    risk: riskSchema,
    cost: costSchema,
  })
  .meta({ id: 'alternative' });

export const labelLineSchema = z
  .object({
    label,
    expendable: z.boolean(),
    pageCount: count,
    zeroPageCount: count.nullable(),
    /** Copies as the published metric has them. */
    replication: count,
  })
  .meta({ id: 'label-line' });

/** Whole pages: critical ones three times and the others once, against all three times; no compression. */
export const publishedMetricSchema = z
  .object({
    nativeBytes: bytes,
    chosenBytes: bytes,
    savingFraction: saving,
    /** The published result of the kind, for comparison. */
    publishedFraction: z.number(),
    byClass: z.array(
      z.object({
        name: z.enum(['critical', 'expendable']),
        pageCount: count,
        nativeBytes: bytes,
        chosenBytes: bytes,
      }),
    ),
  })
  .meta({ id: 'published-metric' });

export const assumptionsSchema = z
  .object({
    nodeCount: z.int().positive(),
    /** Failures of a node in a year, on average. */
    annualFailureRate: z.number().positive(),
    /** Until what a node held is there again. */
    repairHours: z.number().positive(),
    linkBytesPerSecond: z.number().positive(),
    /** For 10^12 bytes; null: no price is given. */
    pricePerTbMonth: z.number().nonnegative().nullable(),
    blockSizeBytes: z.int().positive(),
  })
  .meta({ id: 'assumptions' });

export const subjectSchema = z
  .object({
    /** Null for an image that is not stored. */
    id: z.string().nullable(),
    vm: z.string().nullable(),
    /** The path of the image's file, where there is one. */
    imagePath: z.string().nullable(),
    /** UTC, ISO 8601. */
    created: z.string().nullable(),
    kernel: z.string().nullable(),
    /** 'complete', or what did not add up. */
    evidence: z.string(),
    imageSizeBytes: bytes,
    pageCount: count,
  })
  .meta({ id: 'subject' });

/** A way to keep critical pages, all else as it is. */
export const choiceSchema = z
  .object({
    /** `3 copies`, or the policy as HDFS names it: RS-6-3-1024k. */
    name: z.string(),
    /** What the cluster lacks for it; null where it can be had, or the store does not say. */
    lacks: z.string().nullable(),
    /** On all disks of the cluster together, of critical and expendable pages. */
    storedBytes: bytes,
    /** Against `raw-r3`. */
    savingFraction: saving,
    /** So many nodes can go, whichever they are, and no critical page is lost. */
    survivedNodeCount: count,
    /** Whether any one rack can go, as HDFS spreads copies and units; null where racks are not known. */
    survivesRack: z.boolean().nullable(),
    risk: riskSchema,
    /** Nodes that a pack is read from. */
    readNodeCount: count,
    /** Bytes read from nodes for each byte that lay on one that is gone. */
    bytesReadPerLostByte: count,
  })
  .meta({ id: 'choice' });

/** What the cluster could keep critical pages in. */
export const adviceSchema = z
  .object({
    /** DataNodes alive and in service; null where the store does not say. */
    liveNodeCount: count.nullable(),
    rackCount: count.nullable(),
    /** Names of erasure coding policies. */
    enabledCodes: z.array(z.string()).nullable(),
    choices: z.array(choiceSchema),
  })
  .meta({ id: 'advice' });

const versioned = { version: z.literal(reportVersion) };

export const snapshotReportSchema = z
  .object({
    ...versioned,
    kind: z.literal('snapshot'),
    subject: subjectSchema,
    labels: z.array(labelLineSchema),
    published: publishedMetricSchema,
    /** `raw-r3` first. */
    alternatives: z.array(alternativeSchema),
    /** What could not be compared, and what to do about that. */
    notCompared: z.array(z.object({ title: z.string(), reason: z.string() })),
    assumptions: assumptionsSchema,
    /** Where it was asked for. */
    advice: adviceSchema.optional(),
  })
  .meta({ id: 'snapshot-report' });

export const historyPointSchema = z
  .object({
    id: z.string(),
    created: z.string(),
    kernel: z.string().nullable(),
    evidence: z.string(),
    imageSizeBytes: bytes,
    /** All copies of its packs, of RAM and of disks. Packs shared with another snapshot count for both. */
    storedBytes: bytes,
    /** Against the image three times. */
    savingFraction: saving,
    /** As the published metric. */
    publishedSavingFraction: saving,
    labels: z.array(z.object({ label, pageCount: count })),
  })
  .meta({ id: 'history-point' });

export const historyReportSchema = z
  .object({
    ...versioned,
    kind: z.literal('history'),
    vm: z.string(),
    /** Oldest first. */
    snapshots: z.array(historyPointSchema),
    unreadable: z.array(z.object({ id: z.string(), reason: z.string() })),
  })
  .meta({ id: 'history-report' });

export const fleetReportSchema = z
  .object({
    ...versioned,
    kind: z.literal('fleet'),
    store: z.string(),
    vmCount: count,
    snapshotCount: count,
    imageSizeBytes: bytes,
    storedBytes: bytes,
    savingFraction: saving,
    publishedSavingFraction: saving,
    /** Snapshots by saving, of each metric: ten classes of 0.1 from 0, and before them what saves less than nothing. */
    histogram: z.array(
      z.object({ from: z.number().nullable(), to: z.number(), saved: count, published: count }),
    ),
    labels: z.array(z.object({ label, pageCount: count })),
    /** The VMs that take most room, largest first. */
    largest: z.array(
      z.object({
        vm: z.string(),
        snapshotCount: count,
        storedBytes: bytes,
        savingFraction: saving,
        publishedSavingFraction: saving,
      }),
    ),
    unreadableCount: count,
    /** The first of them. */
    unreadable: z.array(z.object({ id: z.string(), reason: z.string() })),
  })
  .meta({ id: 'fleet-report' });

export const comparisonReportSchema = z
  .object({
    ...versioned,
    kind: z.literal('comparison'),
    before: snapshotReportSchema,
    after: snapshotReportSchema,
  })
  .meta({ id: 'comparison-report' });

export const reportSchema = z.discriminatedUnion('kind', [
  snapshotReportSchema,
  historyReportSchema,
  fleetReportSchema,
  comparisonReportSchema,
]);

export type Basis = z.infer<typeof basisSchema>;
export type Part = z.infer<typeof partSchema>;
export type NodeLoss = z.infer<typeof nodeLossSchema>;
export type Risk = z.infer<typeof riskSchema>;
export type Cost = z.infer<typeof costSchema>;
export type Alternative = z.infer<typeof alternativeSchema>;
export type Choice = z.infer<typeof choiceSchema>;
export type Advice = z.infer<typeof adviceSchema>;
export type LabelLine = z.infer<typeof labelLineSchema>;
export type PublishedMetric = z.infer<typeof publishedMetricSchema>;
export type Assumptions = z.infer<typeof assumptionsSchema>;
export type Subject = z.infer<typeof subjectSchema>;
export type SnapshotReport = z.infer<typeof snapshotReportSchema>;
export type HistoryPoint = z.infer<typeof historyPointSchema>;
export type HistoryReport = z.infer<typeof historyReportSchema>;
export type FleetReport = z.infer<typeof fleetReportSchema>;
export type ComparisonReport = z.infer<typeof comparisonReportSchema>;
export type Report = z.infer<typeof reportSchema>;
