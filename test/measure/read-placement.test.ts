// A snapshot's placement as read from a store, held against what `verify` says when those copies are gone: for every
// choice of up to three of five disks. Real nodes are killed in test/report/node-loss-table.test.ts.

import { readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { HealingFacts } from '../../introspect/heal/healing-facts.js';
import { ImageView } from '../../introspect/memory/image-view.js';
import { labelNumbers } from '../../introspect/page-class.js';
import type { Manifest } from '../../src/manifest/types.js';
import { readPlacement } from '../../src/measure/read-placement.js';
import { defaultPolicy } from '../../src/plan/policy.js';
import { storedBytesOf } from '../../src/report/model/cost.js';
import { type Outcome, tryChoices } from '../../src/report/model/placement.js';
import { takeSnapshot } from '../../src/snapshot/take-snapshot.js';
import { copies } from '../../src/store/redundancy.js';
import type { Store } from '../../src/store/store.js';
import { verifySnapshot } from '../../src/verify/verify-snapshot.js';
import { changedStore } from '../catalog/changed-store.js';
import { healingFacts } from '../restore/healing-facts.js';
import { type StoreFixture, withStore } from '../store/local/disk-folders.js';

const pageCount = 1024;
const image = Buffer.alloc(pageCount * 4096, 'placed');
const regions = [{ gpaStart: 0, sizeBytes: image.length, imageOffset: 0 }];

/** Several packs of either replication, device state and a command line. */
async function withSnapshot(
  healing: HealingFacts | undefined,
  use: (stored: StoreFixture & { readonly manifest: Manifest }) => Promise<void>,
): Promise<void> {
  await withStore(async (fixture) => {
    const statePath = path.join(fixture.folder, 'device-state');
    writeFileSync(statePath, 'device state');
    const { manifest } = await takeSnapshot({
      store: fixture.store,
      memory: new ImageView(regions, (offset, target) => {
        target.set(image.subarray(offset, offset + target.length));
      }),
      map: {
        regions,
        labels: Uint8Array.from({ length: pageCount }, (_, page) =>
          page % 3 === 0 ? labelNumbers.free : labelNumbers.anon,
        ),
        evidence: { kind: 'complete' },
        warnings: [],
        kernel: { release: '6.1.0', buildId: '00' },
        healing,
      },
      policy: defaultPolicy,
      vm: 'vm',
      statePath,
      machine: Buffer.from('qemu-system-x86_64'),
      blockSizeBytes: 2 ** 20,
    });
    await use({ ...fixture, manifest });
  });
}

/** The store after the disks `gone` are gone. */
function without(store: Store, gone: readonly string[]): Store {
  return changedStore(store, {
    blocks: async (name) =>
      (await store.blocks(name)).map((block) => ({
        ...block,
        locations: block.locations.filter((location) => !gone.includes(location)),
      })),
  });
}

test.each([
  ['with what healing needs', healingFacts],
  ['without it, when nothing heals', undefined],
])('every choice of disks costs what verify says of it: %s', async (_, healing) => {
  await withSnapshot(healing, async ({ store, manifest }) => {
    const { placement } = await readPlacement(store, manifest);
    if (placement === undefined) {
      throw new Error('expected whole copies on local disks');
    }
    const table = new Map<readonly string[], Outcome>();
    tryChoices(placement, 3, (gone, outcome) => {
      table.set(
        gone.map((node) => placement.nodes[node]),
        outcome,
      );
    });
    for (const [gone, outcome] of table) {
      const verification = await verifySnapshot({
        store: without(store, gone),
        manifest,
        readData: false,
      });
      const { verdict, lostPageCount, lostFiles } = verification.scenarios[0];
      const isLost = lostPageCount > 0 || lostFiles.length > 0;
      expect({ gone, outcome }).toEqual({
        gone,
        outcome: verdict !== 'resumes' ? 'does-not-resume' : isLost ? 'heals' : 'nothing-lost',
      });
    }
    // Copies lie where chance put them, but three disks are all that some block has, and none gone costs nothing.
    const found = new Set(table.values());
    expect(found).toContain('nothing-lost');
    expect(found).toContain('does-not-resume');
    // Without healing only a command line that was kept can be lost and made good, if chance put it on these disks.
    if (healing !== undefined) {
      expect(found).toContain('heals');
    }
  });
});

test('bytes are those on the disks, and files are told apart by copies and by what their loss means', async () => {
  await withSnapshot(healingFacts, async ({ store, manifest, folder }) => {
    const { parts, storedBytes: counted } = await readPlacement(store, manifest);
    const onDisks = readdirSync(folder)
      .filter((name) => name.startsWith('disk'))
      .flatMap((disk) => {
        const data = path.join(folder, disk, 'data');
        return readdirSync(data)
          .filter((name) => !name.endsWith('.crc'))
          .map((name) => statSync(path.join(data, name)).size);
      });
    // Page hashes, of one copy, are beside what a guest is kept by.
    const hashBytes = manifest.header.pageHashes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    expect(hashBytes).toBeGreaterThan(0);
    expect(counted).toBe(onDisks.reduce((sum, sizeBytes) => sum + sizeBytes, 0) - hashBytes);
    expect(parts.reduce((sum, part) => sum + storedBytesOf(part), 0)).toBe(counted);
    const { packs } = manifest.header;
    const criticalCount = packs.filter(({ replication }) => replication === 3).length;
    const kinds = parts.map(({ redundancy, fileCount, blockCount, ifLost }) => ({
      redundancy,
      fileCount,
      blockCount,
      ifLost,
    }));
    const kind = (copyCount: number, fileCount: number, ifLost: string) => ({
      redundancy: copies(copyCount),
      fileCount,
      blockCount: fileCount,
      ifLost,
    });
    expect(kinds).toHaveLength(3);
    expect(kinds).toEqual(
      expect.arrayContaining([
        // With the device state, the manifest and its body.
        kind(3, criticalCount + 3, 'does-not-resume'),
        kind(1, packs.length - criticalCount, 'heals'),
        // A command line can be given by hand.
        kind(3, 1, 'heals'),
      ]),
    );
  });
});

test('a pack that is gone is lost whatever else goes, and takes no room', async () => {
  await withSnapshot(healingFacts, async ({ store, manifest }) => {
    const before = await readPlacement(store, manifest);
    const [critical] = manifest.header.packs.filter(({ replication }) => replication === 3);
    await store.remove(critical.name);
    const after = await readPlacement(store, manifest);
    expect(after.storedBytes).toBe(before.storedBytes - 3 * critical.sizeBytes);
    const outcomes: Outcome[] = [];
    if (after.placement !== undefined) {
      tryChoices(after.placement, 1, (_, outcome) => outcomes.push(outcome));
    }
    expect(outcomes.length).toBeGreaterThan(1);
    expect(new Set(outcomes)).toEqual(new Set(['does-not-resume']));
  });
});
