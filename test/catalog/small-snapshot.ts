// Manifests of a few pages, made by hand, with the files that they name: for tests of what refers to what.

import {
  manifestReplication,
  publishManifest,
  writeManifest,
  type WrittenManifest,
} from '../../src/catalog/catalog.js';
import type { Manifest } from '../../src/manifest/types.js';
import { copies, redundancyOf } from '../../src/store/redundancy.js';
import type { Store } from '../../src/store/store.js';

const packSizeBytes = 8192;
const pageSizeBytes = 4096;
const packPageCount = 1;
const blockSizeBytes = 2 ** 20;

export interface SmallSnapshot {
  /** 16 hex digits. */
  readonly id: string;
  /** Full names. Each holds one page. */
  readonly packs: readonly string[];
  /** Full names. */
  readonly pageHashes?: readonly string[];
  readonly state?: string;
  readonly createdMs?: number;
  readonly vm?: string;
}

export function smallManifest({
  id,
  packs,
  pageHashes = [],
  state,
  createdMs = 0,
  vm = 'small',
}: SmallSnapshot): Manifest {
  const windows = Uint32Array.from(packs, (_, index) => index);
  const column = (value: number) => new Uint32Array(packs.length).fill(value);
  const pageCount = packs.length * 64;
  const besides = { sizeBytes: packSizeBytes, sha256: new Uint8Array(32) };
  return {
    header: {
      id,
      vm,
      createdMs,
      requiredFeatures: [],
      packs: packs.map((name) => ({ name, sizeBytes: packSizeBytes, replication: 2 })),
      bodies: [],
      pageHashes: pageHashes.map((name) => ({ name, ...besides })),
      attachments: state === undefined ? [] : [{ role: 'state', name: state, ...besides }],
      guest: null,
      evidence: 'complete',
      labelCounts: { free: pageCount },
      legend: ['free'],
      imageSizeBytes: pageCount * pageSizeBytes,
    },
    frames: {
      pack: windows,
      offset: column(32),
      length: column(20 + pageSizeBytes),
      identity: windows,
      pageCount: new Uint8Array(packs.length).fill(packPageCount),
    },
    spaces: [
      {
        kind: 'ram',
        name: 'ram',
        pageSizeBytes,
        regions: [{ start: 0, sizeBytes: pageCount * pageSizeBytes }],
        labelRuns: {
          label: Uint8Array.of(0),
          firstPage: Uint32Array.of(0),
          pageCount: Uint32Array.of(pageCount),
        },
        places: {
          window: windows,
          maskLow: column(1),
          maskHigh: column(0),
          frame: windows,
          slot: new Uint8Array(packs.length),
        },
      },
    ],
  };
}

/** Writes those files beside the manifest and its body that are not there yet; their content does not matter here. */
export async function writeFilesOf(store: Store, { header }: Manifest): Promise<void> {
  const files = [
    ...header.packs,
    ...[...header.pageHashes, ...header.attachments].map((file) => ({
      ...file,
      replication: manifestReplication,
    })),
  ];
  for (const { name, ...kept } of files) {
    if ((await store.stat(name)) !== undefined) {
      continue;
    }
    await store.write(name, () => [new Uint8Array(packSizeBytes)], {
      redundancy: redundancyOf(kept),
      blockSizeBytes,
    });
  }
}

/** With its files, and visible. */
export async function publishSmall(store: Store, snapshot: SmallSnapshot): Promise<void> {
  const manifest = smallManifest(snapshot);
  await writeFilesOf(store, manifest);
  await writeAndPublish(store, manifest);
}

/** With the body that it is written with. */
export async function writeAndPublish(store: Store, manifest: Manifest): Promise<WrittenManifest> {
  const written = await writeManifest(store, manifest, blockSizeBytes);
  await publishManifest(store, manifest.header.id);
  return written;
}

export async function writeText(store: Store, name: string, text: string): Promise<void> {
  await store.write(name, () => [Buffer.from(text)], { redundancy: copies(3), blockSizeBytes });
}

/** Names of all files below a folder. */
export async function filesBelow(store: Store, folder: string): Promise<readonly string[]> {
  const children = await store.list(folder);
  const names: string[] = [];
  for (const { name, kind } of children) {
    names.push(...(kind === 'folder' ? await filesBelow(store, name) : [name]));
  }
  return names.sort();
}
