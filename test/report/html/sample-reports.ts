// Reports as they look for a guest of 2 GiB that runs a database: figures that fit each other, by the formulas of the
// report itself where they are simple.
import { labelNumbers, pageClasses, type PageLabel } from '../../../introspect/page-class.js';
import type { MemoryMapData } from '../../../src/report/html/charts/memory-map.js';
import type {
  Alternative,
  Assumptions,
  ComparisonReport,
  FleetReport,
  HistoryPoint,
  HistoryReport,
  Part,
  SnapshotReport,
} from '../../../src/report/model/report.js';
import { copies, type Redundancy, reedSolomon } from '../../../src/store/redundancy.js';

const pageSizeBytes = 4096;
const mib = 2 ** 20;
const gib = 2 ** 30;
const pageCount = (2 * gib) / pageSizeBytes;

const assumptions: Assumptions = {
  nodeCount: 5,
  annualFailureRate: 0.04,
  repairHours: 12,
  linkBytesPerSecond: 1.25e8,
  pricePerTbMonth: 20,
  blockSizeBytes: 128 * mib,
};

/** Shares of all pages; what is missing to 1 is free. */
const databaseShares: Partial<Record<PageLabel, number>> = {
  'free-pcp': 0.0007,
  'file-reread': 0.291,
  'file-clean': 0.0412,
  'file-dirty': 0.0035,
  'block-device': 0.0121,
  anon: 0.344,
  'swap-cache': 0.0002,
  ksm: 0.0041,
  shmem: 0.0133,
  slab: 0.0382,
  'large-kmalloc': 0.0006,
  'page-table': 0.0052,
  'kernel-stack': 0.0011,
  'kernel-image': 0.0148,
  reserved: 0.0099,
  other: 0.0061,
  'not-ram': 0.0003,
};

function isExpendable(label: PageLabel): boolean {
  return pageClasses[labelNumbers[label]].expendable;
}

function countsOf(shares: Partial<Record<PageLabel, number>>, pages: number) {
  const counts = Object.entries(shares).map(([label, share]) => ({
    label: label as PageLabel,
    pageCount: Math.round(share * pages),
  }));
  const rest = pages - counts.reduce((sum, entry) => sum + entry.pageCount, 0);
  return [{ label: 'free' as PageLabel, pageCount: rest }, ...counts];
}

function choose(n: number, k: number): number {
  let result = k < 0 || k > n ? 0 : 1;
  for (let index = 0; index < k && result > 0; index++) {
    result = (result * (n - index)) / (index + 1);
  }
  return result;
}

/** That a block does not outlive so many of five nodes. */
function lossOf(redundancy: Redundancy, gone: number): number {
  const { nodeCount } = assumptions;
  if (redundancy.kind === 'copies') {
    const { count } = redundancy;
    return choose(nodeCount - count, gone - count) / choose(nodeCount, gone);
  }
  return gone > redundancy.parityUnitCount ? 1 : 0;
}

function storedOf({ redundancy, sizeBytes }: Part): number {
  return redundancy.kind === 'copies'
    ? sizeBytes * redundancy.count
    : sizeBytes * (1 + redundancy.parityUnitCount / redundancy.dataUnitCount);
}

function part(sizeBytes: number, redundancy: Redundancy, ifLost: Part['ifLost']): Part {
  const unitBytes =
    assumptions.blockSizeBytes * (redundancy.kind === 'copies' ? 1 : redundancy.dataUnitCount);
  return {
    redundancy,
    sizeBytes,
    fileCount: Math.ceil(sizeBytes / (256 * mib)),
    blockCount: Math.ceil(sizeBytes / unitBytes),
    ifLost,
  };
}

const threeCopies = copies(3);
const oneCopy = copies(1);
const wide = reedSolomon(6, 3);
const slim = reedSolomon(3, 2);

function alternative(
  id: string,
  title: string,
  family: Alternative['family'],
  parts: readonly Part[],
  rest: Pick<Alternative, 'basis' | 'formula'> & Partial<Alternative>,
): Alternative {
  const storedBytes = parts.reduce((sum, entry) => sum + storedOf(entry), 0);
  const sizeBytes = parts.reduce((sum, entry) => sum + entry.sizeBytes, 0);
  const isCoded = parts.some(({ redundancy }) => redundancy.kind === 'reed-solomon');
  const dying = parts.filter(({ ifLost }) => ifLost === 'does-not-resume');
  const healing = parts.filter(({ ifLost }) => ifLost === 'heals');
  const lossAmong = (among: readonly Part[], gone: number): number =>
    Math.max(0, ...among.map(({ redundancy }) => lossOf(redundancy, gone)));
  const isStored = rest.basis === 'stored';
  return {
    id,
    title,
    family,
    parts: [...parts],
    storedBytes,
    savingFraction: 1 - storedBytes / (6 * gib),
    resumes: true,
    note: null,
    risk: {
      nodeLosses: [1, 2, 3].map((nodeCount) => {
        const doesNotResume = lossAmong(dying, nodeCount);
        const heals = Math.max(0, lossAmong(healing, nodeCount) - doesNotResume);
        return { nodeCount, doesNotResume, heals, basis: isStored ? 'placement' : 'computed' };
      }),
      perYear: {
        doesNotResume: lossAmong(dying, 3) * 2.9e-8,
        heals: healing.length > 0 ? 0.1813 : 0,
      },
    },
    cost: {
      uploadBytes: isCoded ? storedBytes : sizeBytes,
      clusterBytes: isCoded ? 0 : storedBytes - sizeBytes,
      restoreBytes: sizeBytes,
      uploadSeconds: (isCoded ? storedBytes : sizeBytes) / assumptions.linkBytesPerSecond,
      restoreSeconds: sizeBytes / assumptions.linkBytesPerSecond,
      fileCount: parts.reduce((sum, entry) => sum + entry.fileCount, 0),
      blockCount: parts.reduce((sum, entry) => sum + entry.blockCount, 0),
      pricePerMonth: (storedBytes / 1e12) * 20,
    },
    ...rest,
  };
}

function alternativesOf(scale: number): Alternative[] {
  const whole = (sizeBytes: number, redundancy: Redundancy) => [
    part(sizeBytes, redundancy, 'does-not-resume'),
  ];
  const raw = 2 * gib;
  const [sparse, lz4, zstd] = [1.72 * gib * scale, 0.94 * gib * scale, 0.71 * gib * scale];
  const pars = (critical: number, expendable: number, redundancy = threeCopies) => [
    part(critical * mib * scale, redundancy, 'does-not-resume'),
    ...(expendable > 0 ? [part(expendable * mib, oneCopy, 'heals')] : []),
  ];
  const compressed = { basis: 'measured', formula: '3 × compressed size' } as const;
  const coded = { basis: 'computed', formula: 'size × (d + p) / d, to whole cells' } as const;
  const packs = (basis: Alternative['basis']) =>
    ({ basis, formula: '3 × packs of critical pages + packs of expendable pages' }) as const;
  return [
    alternative('raw-r3', 'Raw file, replication 3', 'native', whole(raw, threeCopies), {
      basis: 'computed',
      formula: '3 × size of the image',
    }),
    alternative(
      'sparse-r3',
      'Without zero pages, replication 3',
      'native',
      whole(sparse, threeCopies),
      {
        basis: 'measured',
        formula: '3 × pages that are not zero × 4096',
      },
    ),
    alternative('lz4-r3', 'lz4, replication 3', 'compressed', whole(lz4, threeCopies), compressed),
    alternative(
      'zstd-r3',
      'zstd -3, replication 3',
      'compressed',
      whole(zstd, threeCopies),
      compressed,
    ),
    alternative(
      'dedup-r3',
      'Deduplicated pages, replication 3',
      'deduplicated',
      whole(sparse * 0.93, threeCopies),
      {
        basis: 'measured',
        formula: '3 × (different pages × 4096 + 40 bytes for each page)',
      },
    ),
    alternative('raw-rs63', 'Raw file, RS-6-3', 'erasure-coded', whole(raw, wide), {
      ...coded,
      note: 'Needs nine nodes for each unit to lie on its own; this cluster has 5.',
    }),
    alternative('raw-rs32', 'Raw file, RS-3-2', 'erasure-coded', whole(raw, slim), coded),
    alternative('zstd-rs63', 'zstd -3, RS-6-3', 'erasure-coded', whole(zstd, wide), coded),
    alternative('zstd-rs32', 'zstd -3, RS-3-2', 'erasure-coded', whole(zstd, slim), coded),
    alternative(
      'savevm-r3',
      'qcow2 savevm, replication 3',
      'native',
      whole(sparse * 1.002, threeCopies),
      {
        basis: 'computed',
        formula: '3 × (pages that are not zero × 4104 + device state)',
      },
    ),
    alternative(
      'makedumpfile-r3',
      'makedumpfile -d 31, replication 3',
      'dump',
      whole(0.62 * gib * scale, threeCopies),
      {
        basis: 'computed',
        formula: '3 × pages of the kernel and of processes, uncompressed',
        resumes: false,
        note: 'A dump for debugging: cache and user pages are left out, so that nothing can be resumed from it.',
      },
    ),
    alternative('pars-strict', 'PARS strict', 'pars', pars(418, 171), packs('stored')),
    alternative(
      'pars-strict-raw',
      'PARS strict, not compressed',
      'pars',
      pars(957, 596),
      packs('measured'),
    ),
    alternative('pars-disk', 'PARS disk', 'pars', pars(392, 184), {
      ...packs('measured'),
      note: 'Needs the disk image of the same moment, or the disk stored with it.',
    }),
    alternative('pars-lean', 'PARS lean', 'pars', pars(392, 31), {
      ...packs('measured'),
      note: 'Does not store what the given disk holds: a restore needs that image.',
    }),
    alternative(
      'pars-rs32',
      'PARS strict, critical part RS-3-2',
      'pars',
      pars(418, 171, slim),
      coded,
    ),
  ];
}

export function snapshotReport(
  shares: Partial<Record<PageLabel, number>> = databaseShares,
  scale = 1,
): SnapshotReport {
  const labels = countsOf(shares, pageCount);
  const critical = labels
    .filter(({ label }) => !isExpendable(label))
    .reduce((sum, entry) => sum + entry.pageCount, 0);
  const nativeBytes = 3 * pageCount * pageSizeBytes;
  const byClass = [
    { name: 'critical' as const, pageCount: critical, copies: 3 },
    { name: 'expendable' as const, pageCount: pageCount - critical, copies: 1 },
  ].map(({ name, pageCount: pages, copies }) => ({
    name,
    pageCount: pages,
    nativeBytes: 3 * pages * pageSizeBytes,
    chosenBytes: copies * pages * pageSizeBytes,
  }));
  const chosenBytes = byClass.reduce((sum, line) => sum + line.chosenBytes, 0);
  return {
    version: 1,
    kind: 'snapshot',
    subject: {
      id: '01938a7c2f4be1d09c55',
      vm: 'db-01',
      imagePath: null,
      created: '2026-11-20T02:00:04.000Z',
      kernel: '6.1.0-41-cloud-amd64',
      evidence: 'complete',
      imageSizeBytes: pageCount * pageSizeBytes,
      pageCount,
    },
    labels: labels.map(({ label, pageCount: pages }) => ({
      label,
      expendable: isExpendable(label),
      pageCount: pages,
      zeroPageCount: label === 'free' ? Math.round(pages * 0.55) : Math.round(pages * 0.01),
      replication: isExpendable(label) ? 1 : 3,
    })),
    published: {
      nativeBytes,
      chosenBytes,
      savingFraction: 1 - chosenBytes / nativeBytes,
      publishedFraction: 0.539,
      byClass,
    },
    alternatives: alternativesOf(scale),
    notCompared: [
      {
        title: 'PARS disk and lean, not compressed',
        reason: 'no disk image was given; give it with --disk vda=FILE.',
      },
    ],
    assumptions,
  };
}

/** An image of which nothing could be known, and which is not stored. */
export function doubtfulEstimate(): SnapshotReport {
  const report = snapshotReport({ unknown: 1 });
  return {
    ...report,
    subject: {
      ...report.subject,
      id: null,
      vm: null,
      created: null,
      imagePath: '/var/lib/libvirt/images/a very long name of a folder/guest-with-a-long-name.ram',
      kernel: null,
      evidence: 'no-kernel: no VMCOREINFO was found in the image',
    },
    published: { ...report.published, savingFraction: 0 },
    assumptions: { ...assumptions, pricePerTbMonth: null },
    alternatives: report.alternatives
      .filter(({ id }) => !['pars-disk', 'pars-lean'].includes(id))
      .map((entry) => ({
        ...entry,
        basis: entry.basis === 'stored' ? 'measured' : entry.basis,
        ...(entry.family === 'pars'
          ? { storedBytes: 6.02 * gib, savingFraction: 1 - 6.02 / 6 }
          : {}),
        cost: { ...entry.cost, pricePerMonth: null },
      })),
    notCompared: [],
  };
}

export function comparisonReport(): ComparisonReport {
  const before = snapshotReport();
  const after = snapshotReport(
    { ...databaseShares, anon: 0.451, 'file-reread': 0.204, zsmalloc: 0.021, ksm: 0 },
    1.19,
  );
  return {
    version: 1,
    kind: 'comparison',
    before,
    after: {
      ...after,
      subject: {
        ...after.subject,
        id: '01938fa2117745ce02ab',
        created: '2026-11-21T02:00:03.000Z',
        kernel: '7.3.0-2-cloud-amd64',
      },
      // Only what both know is drawn.
      alternatives: after.alternatives.filter(({ id }) => id !== 'zstd-rs32'),
    },
  };
}

function historyPoint(index: number): HistoryPoint {
  const wave = Math.sin(index / 4);
  const labels = countsOf(
    {
      ...databaseShares,
      anon: 0.36 + 0.09 * wave,
      'file-reread': index < 6 ? 0.08 + 0.035 * index : 0.27 - 0.05 * wave,
      shmem: 0.0133 + 0.002 * index,
    },
    pageCount,
  );
  const expendable = labels
    .filter(({ label }) => isExpendable(label))
    .reduce((sum, entry) => sum + entry.pageCount, 0);
  const savingFraction = 0.71 - 0.06 * wave + 0.002 * index;
  return {
    id: `01938a7c2f4be1d0${(0x1000 + index).toString(16)}`,
    created: new Date(Date.UTC(2026, 9, 25 + index, 2, 0, 4)).toISOString(),
    kernel: index < 14 ? '6.1.0-41-cloud-amd64' : '7.3.0-2-cloud-amd64',
    evidence: index === 9 ? 'partial: 12 pages were caught while changing' : 'complete',
    imageSizeBytes: 2 * gib,
    storedBytes: (1 - savingFraction) * 6 * gib,
    savingFraction,
    publishedSavingFraction: ((expendable / pageCount) * 2) / 3,
    labels,
  };
}

export function historyReport(snapshotCount: number): HistoryReport {
  return {
    version: 1,
    kind: 'history',
    vm: 'db-01',
    snapshots: Array.from({ length: snapshotCount }, (_, index) => historyPoint(index)),
    unreadable:
      snapshotCount > 1
        ? [{ id: '01938b00aa', reason: 'the manifest ends after 512 of 80211 bytes' }]
        : [],
  };
}

export function fleetReport(): FleetReport {
  const saved = [3, 1, 2, 5, 14, 61, 214, 603, 388, 101, 12];
  const published = [0, 9, 40, 122, 261, 433, 371, 160, 8, 0, 0];
  const names = [
    'db-01',
    'db-02',
    'search-eu-1',
    'ci-runner-17',
    'mail',
    'web-01',
    'web-02',
    'idle',
  ];
  return {
    version: 1,
    kind: 'fleet',
    store: 'webhdfs://namenode:9870/pars',
    vmCount: 117,
    snapshotCount: 1404,
    imageSizeBytes: 1404 * 3.2 * gib,
    storedBytes: 1404 * 3.2 * gib * 3 * 0.28,
    savingFraction: 0.72,
    publishedSavingFraction: 0.461,
    histogram: saved.map((count, index) => ({
      from: index === 0 ? null : (index - 1) / 10,
      to: index / 10,
      saved: count,
      published: published[index],
    })),
    labels: countsOf(databaseShares, pageCount * 1404),
    largest: names.map((vm, index) => ({
      vm,
      snapshotCount: 12,
      storedBytes: (120 - 13 * index) * gib,
      savingFraction: 0.61 + index / 50,
      publishedSavingFraction: 0.38 + index / 40,
    })),
    unreadableCount: 23,
    unreadable: [{ id: '01938b00aa', reason: 'the manifest ends after 512 of 80211 bytes' }],
  };
}

export function emptyFleetReport(): FleetReport {
  return {
    version: 1,
    kind: 'fleet',
    store: 'file:///?disks=/mnt/a,/mnt/b,/mnt/c',
    vmCount: 0,
    snapshotCount: 0,
    imageSizeBytes: 0,
    storedBytes: 0,
    savingFraction: 0,
    publishedSavingFraction: 0,
    histogram: [],
    labels: [],
    largest: [],
    unreadableCount: 0,
    unreadable: [],
  };
}

/** As a kernel lays memory out: its image low, the rest in runs of random length; a hole below 4 GiB. */
export function memoryMapData(): MemoryMapData {
  const labels = new Uint8Array(pageCount);
  const counts = countsOf(databaseShares, pageCount);
  let state = 12345;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  for (let at = 0; at < pageCount;) {
    let position = random() * pageCount;
    const drawn = counts.find((entry) => (position -= entry.pageCount) < 0) ?? counts[0];
    const isLong = drawn.label === 'free' || drawn.label === 'file-reread';
    const length = Math.ceil(random() ** 6 * (isLong ? 700 : 300));
    labels.fill(labelNumbers[drawn.label], at, at + length);
    at += length;
  }
  labels.fill(labelNumbers['not-ram'], 0x9f, 0x100);
  labels.fill(labelNumbers['kernel-image'], 0x4000, 0x4000 + 7800);
  labels.fill(labelNumbers.reserved, 0x6000, 0x6000 + 5100);
  const lowBytes = 1.5 * gib;
  return {
    title: 'Memory of db-01 by label',
    regions: [
      { gpaStart: 0, sizeBytes: lowBytes, imageOffset: 0 },
      { gpaStart: 4 * gib, sizeBytes: 2 * gib - lowBytes, imageOffset: lowBytes },
    ],
    labels,
  };
}
