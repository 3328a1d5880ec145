// One stopped guest in every container: the labels are those of its raw RAM, byte for byte.
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { classify } from '../../introspect/label/classify.js';
import { findKernel } from '../../introspect/label/find-kernel.js';
import type { PageMap } from '../../introspect/label/page-map.js';
import { openImage, type OpenImageOptions } from '../../introspect/memory/open-image-file.js';
import { pageIndexOf, pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { labelNumbers } from '../../introspect/page-class.js';
import { copySparse } from '../guest/copy-sparse.js';
import { fixtureGuest } from '../guest/fixtures.js';
import { type Guest, resumeGuest } from '../guest/guest.js';

const bootTimeoutMs = 300_000;
const fourGib = 2 ** 32;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pars-containers-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function labelsOf(path: string, options: OpenImageOptions = {}): PageMap {
  const image = openImage(path, options);
  try {
    return classify(findKernel(image));
  } finally {
    image.close();
  }
}

function expectComplete(map: PageMap): void {
  expect(map.evidence).toEqual({ kind: 'complete' });
}

/** Pages of `map` whose frame `raw` has too must have the same label; the rest is no RAM to the guest. */
function expectSameLabels(map: PageMap, raw: PageMap): { readonly sharedCount: number } {
  expectComplete(map);
  expect(map.kernel).toEqual(raw.kernel);
  let sharedCount = 0;
  const differences: string[] = [];
  for (const region of map.regions) {
    const firstPage = region.imageOffset / pageSizeBytes;
    for (let page = 0; page < region.sizeBytes / pageSizeBytes; page++) {
      const pfn = region.gpaStart / pageSizeBytes + page;
      const index = pageIndexOf(raw.regions, pfn);
      const expected = index === undefined ? labelNumbers['not-ram'] : raw.labels[index];
      sharedCount += index === undefined ? 0 : 1;
      if (map.labels[firstPage + page] !== expected) {
        differences.push(`frame ${pfn}: ${map.labels[firstPage + page]}, not ${expected}`);
      }
    }
  }
  expect(differences).toEqual([]);
  return { sharedCount };
}

/** Appends `sizeBytes` of one file from `offset` to another, sparse. */
async function cut(from: string, offset: number, sizeBytes: number, to: string, at: number) {
  const source = await open(from, 'r');
  const target = await open(to, 'a').then(async (file) => {
    await file.close();
    return await open(to, 'r+');
  });
  try {
    await target.truncate(at + sizeBytes);
    const [buffer, zeroes] = [Buffer.alloc(2 ** 20), Buffer.alloc(2 ** 20)];
    for (let done = 0; done < sizeBytes; done += buffer.length) {
      await source.read(buffer, 0, buffer.length, offset + done);
      if (!buffer.equals(zeroes)) {
        await target.write(buffer, 0, buffer.length, at + done);
      }
    }
  } finally {
    await source.close();
    await target.close();
  }
}

describe('an ELF core of the stopped guest', () => {
  let guest: Guest;
  let raw: PageMap;
  let corePath: string;

  beforeAll(async () => {
    guest = await resumeGuest(await fixtureGuest('aged'));
    await guest.stop();
    corePath = join(folder, 'core');
    await guest.qmp('dump-guest-memory', { paging: false, protocol: `file:${corePath}` });
    raw = labelsOf(guest.ramPath);
  }, bootTimeoutMs);
  afterAll(() => guest.close());

  test('has the labels of its raw RAM, and the memory of its devices besides', () => {
    expectComplete(raw);
    const map = labelsOf(corePath);
    const { sharedCount } = expectSameLabels(map, raw);
    // A PC's window for video RAM, 0xa0000 to 0xc0000, is no RAM to QEMU's dump.
    expect(raw.labels.length - sharedCount).toBeLessThanOrEqual(32);
    expect(map.labels.length).toBeGreaterThan(sharedCount);
  });

  test('reads the same bytes at the same addresses', () => {
    const [core, ram] = [openImage(corePath), openImage(guest.ramPath)];
    const [inCore, inRam] = [Buffer.alloc(2 ** 20), Buffer.alloc(2 ** 20)];
    for (let gpa = 2 ** 20; gpa < ram.views[0].sizeBytes; gpa += inRam.length) {
      expect(core.views[0].read(gpa, inCore)).toBe(true);
      expect(ram.views[0].read(gpa, inRam)).toBe(true);
      expect(inCore.equals(inRam)).toBe(true);
    }
    core.close();
    ram.close();
  });

  test('cut short is refused', async () => {
    const short = join(folder, 'short');
    await copySparse(corePath, short);
    const file = await open(short, 'r+');
    // QEMU ends the file with names of sections.
    await file.truncate(statSync(corePath).size - pageSizeBytes);
    await file.close();
    expect(() => labelsOf(short)).toThrow(/program header \d+: .*truncated/);
  });
});

describe('a guest with RAM above the hole below 4 GiB', () => {
  const lowBytes = 2 ** 31;
  let ramPath: string;
  let raw: PageMap;

  beforeAll(async () => {
    ({ ramPath } = await fixtureGuest('aboveHole'));
    raw = labelsOf(ramPath);
    expectComplete(raw);
  }, bootTimeoutMs);

  test(
    'is the same in a raw file with a map, its parts in another order',
    async () => {
      const path = join(folder, 'ram');
      await cut(ramPath, lowBytes, lowBytes, path, 0);
      await cut(ramPath, 0, lowBytes, path, lowBytes);
      const regions = [
        { gpa: '0x100000000', sizeBytes: lowBytes },
        { gpa: 0, sizeBytes: lowBytes },
      ];
      writeFileSync(`${path}.map.json`, JSON.stringify({ regions }));
      const map = labelsOf(path);
      expect(map).toEqual(raw);
      rmSync(path);
    },
    bootTimeoutMs,
  );

  test(
    "is the same in a snapshot of Cloud Hypervisor's form, ranges in the order of its state",
    async () => {
      const snapshot = join(folder, 'snapshot');
      mkdirSync(snapshot);
      await cut(ramPath, lowBytes, lowBytes, join(snapshot, 'memory-ranges'), 0);
      await cut(ramPath, 0, lowBytes, join(snapshot, 'memory-ranges'), lowBytes);
      const data = [
        { gpa: fourGib, length: lowBytes },
        { gpa: 0, length: lowBytes },
      ];
      const state = JSON.stringify({ memory_ranges: { data }, boot_ram: 2 * lowBytes });
      writeFileSync(
        join(snapshot, 'state.json'),
        JSON.stringify({
          snapshots: { 'memory-manager': { snapshots: {}, snapshot_data: { state } } },
        }),
      );
      expect(labelsOf(snapshot)).toEqual(raw);
      rmSync(snapshot, { recursive: true });
    },
    bootTimeoutMs,
  );

  test(
    'is the same in memory that Firecracker laid out, by its rule',
    async () => {
      // Firecracker's guests have RAM up to 3 GiB; here the third is one that this kernel was not given.
      const path = join(folder, 'mem');
      await cut(ramPath, 0, lowBytes, path, 0);
      await cut(ramPath, lowBytes, lowBytes, path, 1.5 * lowBytes);
      const map = labelsOf(path, { format: 'firecracker' });
      expect(map.regions).toEqual([
        { gpaStart: 0, sizeBytes: 1.5 * lowBytes, imageOffset: 0 },
        { gpaStart: fourGib, sizeBytes: lowBytes, imageOffset: 1.5 * lowBytes },
      ]);
      expect(expectSameLabels(map, raw)).toEqual({ sharedCount: raw.labels.length });
      rmSync(path);
    },
    bootTimeoutMs,
  );

  test('is the same with the regions of its Firecracker state', () => {
    const mapPath = join(folder, 'regions.json');
    const regions = [
      { base_address: 0, size: lowBytes, region_type: 'Dram', plugged: [true] },
      { base_address: fourGib, size: lowBytes, region_type: 'Dram', plugged: [true] },
    ];
    writeFileSync(mapPath, JSON.stringify({ regions }));
    expect(labelsOf(ramPath, { format: 'firecracker', mapPath })).toEqual(raw);
  });
});
