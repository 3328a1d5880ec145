// An embedded store with as many snapshots as a large fleet has: manifests and their bodies alone, for what reads no pack. Made from a seed,
// so that what a report over them should say is known. Put in place from below, as the store writes it but without waiting for
// the disk: through the store, 10,000 files take the better part of an hour.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { pageClasses } from '../../introspect/page-class.js';
import { bodyName, manifestName, packName } from '../../src/catalog/names.js';
import { manifestFiles } from '../../src/manifest/manifest-files.js';
import type { LabelRuns, Manifest, RamSpace, SnapshotFrames } from '../../src/manifest/types.js';
import { frameHeaderSizeBytes, packHeaderSizeBytes } from '../../src/pack/layout.js';
import { maskPageCount } from '../../src/pack/mask.js';
import { windowPageCount } from '../../src/pack/types.js';
import { ChunkChecksummer } from '../../src/store/local/chunk-checksum.js';
import { encodeNameEntry } from '../../src/store/local/names/name-entry.js';
import { openStore } from '../../src/store/open-store.js';
import { diskNames } from '../e2e/local-store-folder.js';
import { randomFrom } from '../e2e/random-numbers.js';

const snapshotsPerVm = 20;
const shapeCount = 24;
const minPackCount = 20;
const maxPackCount = 500;
const firstCreatedMs = Date.UTC(2026, 0, 1);
const hourMs = 3_600_000;

/** What a report over the fleet should say. */
export interface FleetTruth {
  readonly snapshotCount: number;
  readonly vmCount: number;
  readonly imageSizeBytes: number;
  /** All copies of all packs. */
  readonly storedBytes: number;
  readonly labels: ReadonlyMap<string, number>;
  /** The size of one copy of all manifests, with their bodies. */
  readonly manifestBytes: number;
}

/** A guest's memory without a name: many snapshots look alike but for their names. */
interface Shape {
  readonly packs: readonly { readonly sizeBytes: number; readonly replication: number }[];
  readonly frames: SnapshotFrames;
  readonly space: RamSpace;
  readonly labelCounts: Readonly<Record<string, number>>;
  readonly imageSizeBytes: number;
}

/** Makes the store, which must not be there yet. */
export async function writeFleet(url: string, snapshotCount: number): Promise<FleetTruth> {
  await (await openStore(url)).close();
  const random = randomFrom(7);
  const shapes = Array.from({ length: shapeCount }, (_, index) => makeShape(random, index));
  const labels = new Map<string, number>();
  let imageSizeBytes = 0;
  let storedBytes = 0;
  let manifestBytes = 0;
  for (let index = 0; index < snapshotCount; index++) {
    const shape = shapes[Math.floor(random() * shapes.length)];
    const manifest = manifestOf(shape, index);
    const { id } = manifest.header;
    const { file, body } = manifestFiles(manifest, bodyName(id));
    await putFile(fileURLToPath(url), manifestName(id), file, 2 * index);
    await putFile(fileURLToPath(url), bodyName(id), body, 2 * index + 1);
    manifestBytes += file.length + body.length;
    imageSizeBytes += shape.imageSizeBytes;
    for (const { sizeBytes, replication } of shape.packs) {
      storedBytes += sizeBytes * replication;
    }
    for (const [label, count] of Object.entries(shape.labelCounts)) {
      labels.set(label, (labels.get(label) ?? 0) + count);
    }
  }
  const vmCount = Math.ceil(snapshotCount / snapshotsPerVm);
  return { snapshotCount, vmCount, imageSizeBytes, storedBytes, labels, manifestBytes };
}

function manifestOf(shape: Shape, index: number): Manifest {
  const { packs, frames, space, labelCounts, imageSizeBytes } = shape;
  const id = index.toString(16).padStart(16, '0');
  return {
    header: {
      id,
      vm: `vm-${Math.floor(index / snapshotsPerVm)}`,
      createdMs: firstCreatedMs + index * hourMs,
      requiredFeatures: [],
      packs: packs.map((pack, at) => ({ ...pack, name: packName(id, at) })),
      bodies: [],
      pageHashes: [],
      attachments: [],
      guest: { release: `6.1.0-${index % 40}-amd64`, buildId: '0123456789abcdef' },
      evidence: 'complete',
      labelCounts,
      legend: pageClasses.map(({ label }) => label),
      imageSizeBytes,
    },
    frames,
    spaces: [space],
  };
}

/** Every fourth has runs and frames as a guest of 2 GiB has them, the others hardly any. */
function makeShape(random: () => number, index: number): Shape {
  const between = (low: number, high: number) => low + Math.floor(random() * (high - low + 1));
  const isLarge = index % 4 === 0;
  const windowCount = isLarge ? 8192 : 4096 * between(1, 8);
  const pageCount = windowCount * windowPageCount;
  const labelRuns = makeRuns(random, pageCount, isLarge ? 20_000 : between(5, 100));
  const packCount = between(minPackCount, maxPackCount);
  const frameCount = isLarge ? windowCount : between(1, 100);
  const replications = Array.from({ length: packCount }, (_, at) => (at % 3 === 0 ? 1 : 3));
  const sizes = replications.map(() => packHeaderSizeBytes);
  const columns = (): Uint32Array => new Uint32Array(frameCount);
  const frames = {
    pack: columns(),
    offset: columns(),
    length: columns(),
    identity: columns(),
    pageCount: new Uint8Array(frameCount),
  };
  const places = {
    window: columns(),
    maskLow: columns(),
    maskHigh: columns(),
    frame: columns(),
    slot: new Uint8Array(frameCount),
  };
  for (let frame = 0; frame < frameCount; frame++) {
    places.window[frame] = frame;
    places.maskLow[frame] = between(1, 0xffffffff);
    places.maskHigh[frame] = between(0, 0xffffffff);
    places.frame[frame] = frame;
    const framePages = maskPageCount(places.maskLow[frame], places.maskHigh[frame]);
    const pack = frame % packCount;
    frames.pageCount[frame] = framePages;
    frames.identity[frame] = between(0, 0xffffffff);
    frames.pack[frame] = pack;
    frames.offset[frame] = sizes[pack];
    frames.length[frame] = frameHeaderSizeBytes + between(1, framePages * pageSizeBytes);
    sizes[pack] += frames.length[frame];
  }
  const labelCounts: Record<string, number> = {};
  labelRuns.label.forEach((number, run) => {
    const { label } = pageClasses[number];
    labelCounts[label] = (labelCounts[label] ?? 0) + labelRuns.pageCount[run];
  });
  const imageSizeBytes = pageCount * pageSizeBytes;
  return {
    packs: sizes.map((sizeBytes, at) => ({ sizeBytes, replication: replications[at] })),
    frames,
    space: {
      kind: 'ram',
      name: 'ram',
      pageSizeBytes,
      regions: [{ start: 0, sizeBytes: imageSizeBytes }],
      labelRuns,
      places,
    },
    labelCounts,
    imageSizeBytes,
  };
}

function makeRuns(random: () => number, pageCount: number, runCount: number): LabelRuns {
  const ofRam = pageClasses.filter(({ label }) => label !== 'disk');
  const mean = pageCount / runCount;
  const runs: { readonly label: number; readonly firstPage: number; readonly count: number }[] = [];
  for (let firstPage = 0; firstPage < pageCount;) {
    const wanted = 1 + Math.floor(random() * 2 * mean);
    const count = Math.min(wanted, pageCount - firstPage);
    const { number } = ofRam[Math.floor(random() * ofRam.length)];
    runs.push({ label: number, firstPage, count });
    firstPage += count;
  }
  return {
    label: Uint8Array.from(runs, ({ label }) => label),
    firstPage: Uint32Array.from(runs, ({ firstPage }) => firstPage),
    pageCount: Uint32Array.from(runs, ({ count }) => count),
  };
}

/** One copy, on each disk in turn; the name on all of them, as src/store/local/disks/disk.ts describes. */
async function putFile(
  storeFolder: string,
  name: string,
  bytes: Uint8Array,
  index: number,
): Promise<void> {
  const disk = index % diskNames.length;
  const copyId = index.toString(16).padStart(32, '0');
  const entry = encodeNameEntry({
    copyId,
    sizeBytes: bytes.length,
    modifiedMs: firstCreatedMs,
    diskNumbers: [disk + 1],
  });
  for (const diskName of diskNames) {
    const folder = join(storeFolder, diskName, 'names', name);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, entry), '');
  }
  const checksummer = new ChunkChecksummer();
  checksummer.update(bytes);
  const data = join(storeFolder, diskNames[disk], 'data');
  await writeFile(join(data, copyId), bytes);
  await writeFile(join(data, `.${copyId}.crc`), checksummer.encode());
}
