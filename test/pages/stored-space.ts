// A snapshot of RAM and a disk in a store in memory, frames and places made by hand: pages of all kinds, in frames that are not
// in the order of their pages, one stored page in several places.
import { packName } from '../../src/manifest/pack-name.js';
import type { DiskSpace, Manifest, RamSpace } from '../../src/manifest/types.js';
import { encodePackHeader } from '../../src/pack/encode.js';
import type { PlaceColumns } from '../../src/pack/types.js';
import { openStore } from '../../src/store/open-store.js';
import { copies } from '../../src/store/redundancy.js';
import type { Store } from '../../src/store/store.js';
import { randomFrom } from '../e2e/random-numbers.js';
import { sampleManifest } from '../manifest/sample-manifest.js';
import { framesOf } from '../pack/made-frames.js';
import { samplePage } from '../pack/sample-pages.js';

const pageSizeBytes = 4096;
const writer = '00000000000000aa';
/** A frame for so many pages, so that a few hundred pages have many. */
const framePageCount = 10;
const packFrameCount = 12;

export interface StoredSpaces {
  readonly store: Store;
  readonly manifest: Manifest;
  readonly ram: RamSpace;
  readonly disk: DiskSpace;
  /** What each page holds. */
  readonly content: { readonly ram: Uint8Array; readonly disk: Uint8Array };
}

let storeCount = 0;

export async function storeSpaces(seed: number, pageCount: number): Promise<StoredSpaces> {
  const random = randomFrom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const store = await openStore(`memory:pages-${storeCount++}`);
  const stored = Array.from({ length: pageCount }, (_, page) =>
    samplePage(below(2) === 0 ? 'noise' : 'repeat', page + 1),
  );
  const frames = { pack: [] as number[], offset: [] as number[], length: [] as number[] };
  const identity: number[] = [];
  const pageCounts: number[] = [];
  const packs: Manifest['header']['packs'][number][] = [];
  let bytes: Uint8Array[] = [];
  const flush = async (): Promise<void> => {
    if (bytes.length === 0) {
      return;
    }
    const content = Buffer.concat([encodePackHeader(), ...bytes]);
    const name = packName(writer, packs.length);
    await store.write(name, () => [content], { redundancy: copies(2), blockSizeBytes: 2 ** 26 });
    packs.push({ name, sizeBytes: content.length, replication: 2 });
    bytes = [];
  };
  for (let first = 0; first < pageCount; first += framePageCount) {
    const pages = stored.slice(first, first + framePageCount);
    const batch = framesOf({
      frames: {
        window: Uint32Array.of(0),
        maskLow: Uint32Array.of(2 ** pages.length - 1),
        maskHigh: Uint32Array.of(0),
      },
      bytes: new Uint8Array(Buffer.concat(pages)),
    });
    frames.pack.push(packs.length);
    frames.offset.push(32 + bytes.reduce((sum, part) => sum + part.length, 0));
    frames.length.push(batch.bytes.length);
    identity.push(batch.frames.identity[0]);
    pageCounts.push(pages.length);
    bytes.push(batch.bytes);
    if (bytes.length === packFrameCount) {
      await flush();
    }
  }
  await flush();

  const placed = (count: number): { places: PlaceColumns; content: Uint8Array } => {
    const places: { window: number; low: number; high: number; frame: number; slot: number }[] = [];
    const content = new Uint8Array(count * pageSizeBytes);
    for (let page = 0; page < count; page++) {
      if (below(4) === 0) {
        continue;
      }
      // Mostly where the pages of a first snapshot are, else any.
      const source = below(3) > 0 && page < pageCount ? page : below(pageCount);
      content.set(stored[source], page * pageSizeBytes);
      const bit = page % 64;
      places.push({
        window: Math.floor(page / 64),
        low: bit < 32 ? (1 << bit) >>> 0 : 0,
        high: bit < 32 ? 0 : (1 << (bit - 32)) >>> 0,
        frame: Math.floor(source / framePageCount),
        slot: source % framePageCount,
      });
    }
    return {
      content,
      places: {
        window: Uint32Array.from(places, ({ window }) => window),
        maskLow: Uint32Array.from(places, ({ low }) => low),
        maskHigh: Uint32Array.from(places, ({ high }) => high),
        frame: Uint32Array.from(places, ({ frame }) => frame),
        slot: Uint8Array.from(places, ({ slot }) => slot),
      },
    };
  };
  const ofRam = placed(pageCount);
  const diskPageCount = 90;
  const ofDisk = placed(diskPageCount);
  const runsOf = (label: number, count: number) => ({
    label: Uint8Array.of(label),
    firstPage: Uint32Array.of(0),
    pageCount: Uint32Array.of(count),
  });
  const ram: RamSpace = {
    kind: 'ram',
    name: 'ram',
    pageSizeBytes,
    regions: [{ start: 0, sizeBytes: pageCount * pageSizeBytes }],
    labelRuns: runsOf(0, pageCount),
    places: ofRam.places,
  };
  const disk: DiskSpace = {
    kind: 'disk',
    name: 'disk-vda',
    pageSizeBytes,
    regions: [{ start: 0, sizeBytes: diskPageCount * pageSizeBytes }],
    labelRuns: runsOf(1, diskPageCount),
    places: ofDisk.places,
    disk: {
      name: 'vda',
      sourcePath: '/vda.raw',
      sourceFormat: 'raw',
      sizeBytes: diskPageCount * pageSizeBytes,
    },
  };
  const manifest: Manifest = {
    header: {
      ...sampleManifest.header,
      packs,
      attachments: [],
      pageHashes: [],
      legend: ['critical', 'disk'],
      labelCounts: { critical: pageCount, disk: diskPageCount },
      imageSizeBytes: pageCount * pageSizeBytes,
    },
    frames: {
      pack: Uint32Array.from(frames.pack),
      offset: Uint32Array.from(frames.offset),
      length: Uint32Array.from(frames.length),
      identity: Uint32Array.from(identity),
      pageCount: Uint8Array.from(pageCounts),
    },
    spaces: [ram, disk],
  };
  return {
    store,
    manifest,
    ram,
    disk,
    content: { ram: ofRam.content, disk: ofDisk.content },
  };
}

export interface CountedRead {
  readonly name: string;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/** Every read, in order. */
export function countReads(store: Store): { readonly store: Store; readonly reads: CountedRead[] } {
  const reads: CountedRead[] = [];
  return {
    reads,
    store: {
      ...store,
      read: (name, offsetBytes, sizeBytes, options) => {
        reads.push({ name, offsetBytes, sizeBytes });
        return store.read(name, offsetBytes, sizeBytes, options);
      },
    },
  };
}
