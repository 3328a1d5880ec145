// The same image kept in every honest way: what each takes, by which figures, and what it risks and costs. Pure.
import { pageSizeBytes } from '../../../introspect/memory/physical-memory.js';
import type { PolicyName } from '../../plan/policy.js';
import { nativeReplication, savingOf } from '../../plan/saving.js';
import {
  blockCountOf,
  copies,
  placeCount,
  type Redundancy,
  redundancyInWords,
  reedSolomon,
} from '../../store/redundancy.js';
import { costOf, storedBytesOf } from './cost.js';
import { leftOutOfDumps } from './dump-labels.js';
import type { ImageFigures, PolicyFigures, ReplicationFigures } from './image-figures.js';
import type { Placement } from './placement.js';
import type { Alternative, Assumptions, Part, SnapshotReport } from './report.js';
import { riskOf } from './risk.js';

/** A snapshot as its store has it. */
export interface StoredParts {
  /** Undefined: none of the named ones. */
  readonly policy: PolicyName | undefined;
  readonly parts: readonly Part[];
  /** As the store counts its copies. */
  readonly storedBytes: number;
  readonly placement: Placement | undefined;
}

export type Compared = Pick<SnapshotReport, 'alternatives' | 'notCompared'>;

/** What the rest of an alternative follows from. */
type Draft = Pick<
  Alternative,
  'id' | 'title' | 'family' | 'parts' | 'basis' | 'formula' | 'resumes' | 'note'
> & { readonly storedBytes?: number; readonly placement?: Placement | undefined };

type NotCompared = Compared['notCompared'][number];

const threeCopies = copies(nativeReplication);
const codes = { rs63: reedSolomon(6, 3), rs32: reedSolomon(3, 2) } as const;

/** What QEMU's migration stream has before each page, the address and flags, and in place of a page of zeroes. */
const streamHeaderBytes = 8;
const streamZeroPageBytes = 9;
/** The key of a page in the list that says how the image is put together again. */
const pageKeyBytes = 8;

const howToMeasure = 'its bytes were not read: give the image with --image';

export function compareAlternatives(
  figures: ImageFigures,
  assumptions: Assumptions,
  stored?: StoredParts,
): Compared {
  const notCompared: NotCompared[] = [];
  const drafts = [
    ...rawDrafts(figures),
    ...zeroSkippedDrafts(figures, notCompared),
    ...compressedDrafts(figures, notCompared),
    ...dedupDrafts(figures, notCompared),
    dumpDraft(figures),
    ...figures.policies.flatMap((entry) => parsDrafts(entry, notCompared)),
    ...(stored === undefined ? [] : [storedDraft(stored)]),
  ];
  const nativeBytes = figures.imageSizeBytes * nativeReplication;
  const fitting = drafts.filter(({ parts }) => nodesNeeded(parts) <= assumptions.nodeCount);
  for (const { title, parts } of drafts.filter((draft) => !fitting.includes(draft))) {
    notCompared.push({
      title,
      reason: `it needs ${nodesNeeded(parts)} DataNodes, and there are ${assumptions.nodeCount}`,
    });
  }
  return {
    alternatives: fitting.map((draft) => complete(draft, nativeBytes, assumptions)),
    notCompared,
  };

  /** One file. */
  function file(sizeBytes: number, redundancy: Redundancy = threeCopies): Part {
    return {
      redundancy,
      sizeBytes,
      fileCount: 1,
      blockCount: blockCountOf(redundancy, sizeBytes, assumptions.blockSizeBytes),
      ifLost: 'does-not-resume',
    };
  }

  function rawDrafts({ imageSizeBytes }: ImageFigures): readonly Draft[] {
    return [
      {
        id: 'raw-r3',
        title: 'Raw file, replication 3',
        family: 'native',
        parts: [file(imageSizeBytes)],
        basis: 'computed',
        formula: 'size of the image x 3',
        resumes: true,
        note: null,
      },
      ...codedDrafts('raw', 'Raw file', imageSizeBytes, 'computed'),
    ];
  }

  function codedDrafts(
    id: string,
    title: string,
    sizeBytes: number,
    basis: Alternative['basis'],
  ): readonly Draft[] {
    return (['rs63', 'rs32'] as const).map((code) => ({
      id: `${id}-${code}`,
      title: `${title}, ${redundancyInWords(codes[code])}`,
      family: 'erasure-coded',
      parts: [file(sizeBytes, codes[code])],
      basis,
      formula: `one copy, and ${codes[code].parityUnitCount} cells of parity for each stripe of ${codes[code].dataUnitCount} cells of 1 MiB`,
      resumes: true,
      note: null,
    }));
  }

  function zeroSkippedDrafts(image: ImageFigures, missing: NotCompared[]): readonly Draft[] {
    const zeroPageCount = zeroPagesOf(image);
    if (zeroPageCount === undefined) {
      missing.push({ title: 'Without zero pages', reason: howToMeasure });
      return [];
    }
    const keptPageCount = image.pageCount - zeroPageCount;
    const streamBytes =
      keptPageCount * (pageSizeBytes + streamHeaderBytes) + zeroPageCount * streamZeroPageBytes;
    return [
      {
        id: 'sparse-r3',
        title: 'Without zero pages, replication 3',
        family: 'native',
        parts: [file(keptPageCount * pageSizeBytes)],
        basis: 'measured',
        formula: 'pages that are not zero x 4096 x 3',
        resumes: true,
        note: null,
      },
      {
        id: 'savevm-r3',
        title: 'As savevm writes RAM, replication 3',
        family: 'native',
        parts: [file(streamBytes)],
        basis: 'computed',
        formula:
          'pages that are not zero x (4096 + 8) + zero pages x 9, x 3; without the tables of qcow2',
        resumes: true,
        note: null,
      },
    ];
  }

  function compressedDrafts(
    { lz4Bytes, zstdBytes }: ImageFigures,
    missing: NotCompared[],
  ): readonly Draft[] {
    const programs = { lz4: lz4Bytes, zstd: zstdBytes } as const;
    const drafts = (Object.keys(programs) as readonly (keyof typeof programs)[]).flatMap(
      (program): readonly Draft[] => {
        const sizeBytes = programs[program];
        if (sizeBytes === undefined) {
          missing.push({
            title: `Compressed with ${program}`,
            reason:
              program === 'zstd' && lz4Bytes !== undefined
                ? 'this needs Node 22.15 or later, or the program zstd'
                : howToMeasure,
          });
          return [];
        }
        return [
          {
            id: `${program}-r3`,
            title: `Compressed with ${program}, replication 3`,
            family: 'compressed',
            parts: [file(sizeBytes)],
            basis: 'measured',
            formula: `size of the file that ${program} makes by default x 3`,
            resumes: true,
            note: null,
          },
        ];
      },
    );
    const best = zstdBytes === undefined ? 'lz4' : 'zstd';
    const bestBytes = programs[best];
    return bestBytes === undefined
      ? drafts
      : [...drafts, ...codedDrafts(best, `Compressed with ${best}`, bestBytes, 'measured')];
  }

  function dedupDrafts(
    { uniquePageCount, pageCount }: ImageFigures,
    missing: NotCompared[],
  ): readonly Draft[] {
    if (uniquePageCount === undefined) {
      missing.push({ title: 'Equal pages stored once', reason: howToMeasure });
      return [];
    }
    return [
      {
        id: 'dedup-r3',
        title: 'Equal pages once, replication 3',
        family: 'deduplicated',
        parts: [file(uniquePageCount * pageSizeBytes + pageCount * pageKeyBytes)],
        basis: 'measured',
        formula: '(different pages that are not zero x 4096 + pages x 8 for their order) x 3',
        resumes: true,
        note: 'within this image only; over several images more pages are equal',
      },
    ];
  }

  function dumpDraft({ labels }: ImageFigures): Draft {
    const keptPageCount = labels
      .filter(({ label }) => !leftOutOfDumps.has(label))
      .reduce((sum, { pageCount, zeroPageCount }) => sum + pageCount - (zeroPageCount ?? 0), 0);
    return {
      id: 'dump-r3',
      title: 'makedumpfile -d 31, replication 3',
      family: 'dump',
      parts: [file(keptPageCount * pageSizeBytes)],
      basis: 'computed',
      formula:
        'pages that are neither zero, free, cache nor of processes, by label, x 4096 x 3; its headers left out',
      resumes: false,
      note: 'cannot be resumed: it lacks the memory of all processes',
    };
  }
}

function parsDrafts(
  { policy, replications }: PolicyFigures,
  missing: NotCompared[],
): readonly Draft[] {
  const parts = (sizeOf: (figures: ReplicationFigures) => number | undefined) => {
    const found = replications.map((figures) => partOf(figures, sizeOf(figures)));
    return found.every((part) => part !== undefined) ? found : undefined;
  };
  const plain = parts(({ nonZeroPageCount }) => nonZeroPageCount * pageSizeBytes);
  const packed = parts(({ packedBytes }) => packedBytes);
  const zstd = parts(({ zstdPackedBytes }) => zstdPackedBytes);
  const common = {
    family: 'pars',
    basis: 'measured',
    resumes: true,
    note: policy === 'strict' ? null : conditionOf[policy],
  } as const;
  const drafts: Draft[] = [];
  if (packed === undefined) {
    missing.push({ title: `PARS ${policy}, compressed`, reason: howToMeasure });
  } else {
    drafts.push({
      ...common,
      id: `pars-${policy}`,
      title: zstd === undefined ? `PARS ${policy}` : `PARS ${policy}, lz4`,
      parts: packed,
      formula:
        (zstd === undefined
          ? 'packs as they are stored'
          : 'packs as an upload by lz4 writes them, the most that it takes by default') +
        ', x 3 and x 1; manifest and device state left out',
    });
  }
  if (zstd !== undefined) {
    drafts.push({
      ...common,
      id: `pars-${policy}-zstd`,
      title: `PARS ${policy}, zstd`,
      parts: zstd,
      formula:
        'packs as an upload by zstd writes them, level 3, x 3 and x 1; manifest and device state left out',
    });
  }
  if (plain !== undefined) {
    drafts.push({
      ...common,
      id: `pars-${policy}-plain`,
      title: `PARS ${policy}, not compressed`,
      parts: plain,
      formula: 'pages that are not zero x 4096, x 3 where critical and x 1 elsewhere',
    });
  }
  const best = zstd ?? packed;
  if (best !== undefined && policy === 'strict') {
    drafts.push({
      ...common,
      id: 'pars-strict-rs63',
      title: 'PARS strict, critical part RS-6-3',
      basis: 'computed',
      parts: best.map((part) =>
        part.ifLost === 'does-not-resume' ? { ...part, redundancy: codes.rs63 } : part,
      ),
      formula:
        (zstd === undefined ? 'packs' : 'packs by zstd') +
        ' of critical pages with 3 cells of parity for 6 of data, the others x 1',
      note: 'with a policy file that says critical: rs-6-3',
    });
  }
  return drafts;
}

const conditionOf: Readonly<Record<Exclude<PolicyName, 'strict'>, string>> = {
  disk: "a restore that lost pages needs the VM's disk of the same moment",
  lean: "stores no free pages; what the VM's disk holds is only there, so a restore needs it",
};

/** Under the named policies what is stored more than once is critical, and what is stored once heals. */
function partOf(
  { replication, packCount }: ReplicationFigures,
  sizeBytes: number | undefined,
): Part | undefined {
  return sizeBytes === undefined
    ? undefined
    : {
        redundancy: copies(replication),
        sizeBytes,
        fileCount: packCount,
        blockCount: packCount,
        ifLost: replication === 1 ? 'heals' : 'does-not-resume',
      };
}

function storedDraft({ policy, parts, storedBytes: bytes, placement }: StoredParts): Draft {
  return {
    id: 'stored',
    title: `As stored (${policy === undefined ? 'a policy of its own' : `policy ${policy}`})`,
    family: 'pars',
    parts: [...parts],
    basis: 'stored',
    formula: 'what the store says its files take, with manifest, device state and all copies',
    resumes: true,
    note: null,
    storedBytes: bytes,
    placement,
  };
}

function complete(
  { placement, storedBytes: told, ...draft }: Draft,
  nativeBytes: number,
  assumptions: Assumptions,
): Alternative {
  const bytes = told ?? draft.parts.reduce((sum, part) => sum + storedBytesOf(part), 0);
  return {
    ...draft,
    storedBytes: bytes,
    savingFraction: savingOf(nativeBytes, bytes).savingFraction,
    risk: riskOf(draft.parts, assumptions, placement),
    cost: costOf(draft.parts, assumptions),
  };
}

/** Each unit of a group lies on a node of its own. Copies beyond the nodes are accepted by HDFS, and never made. */
function nodesNeeded(parts: readonly Part[]): number {
  return Math.max(
    0,
    ...parts
      .filter(({ redundancy }) => redundancy.kind === 'reed-solomon')
      .map(({ redundancy }) => placeCount(redundancy)),
  );
}

/** Undefined unless it is known of every label. */
function zeroPagesOf({ labels }: ImageFigures): number | undefined {
  return labels.reduce<number | undefined>(
    (sum, { zeroPageCount }) =>
      sum === undefined || zeroPageCount === undefined ? undefined : sum + zeroPageCount,
    0,
  );
}
