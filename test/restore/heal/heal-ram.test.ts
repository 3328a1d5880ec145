// Healing a RAM file in place: what is filled, what is put back, and what is refused; and that nothing else changes.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { labelNumbers, pageClasses } from '../../../introspect/page-class.js';
import { pageHash } from '../../../introspect/page-hash.js';
import { DiskImage } from '../../../src/disk/disk-image.js';
import { healingOutlook } from '../../../src/loss/healing-outlook.js';
import type { LostRun } from '../../../src/loss/lost-pages.js';
import { healRam, type HealRequest } from '../../../src/restore/heal/heal-ram.js';
import { healingFacts } from '../healing-facts.js';

const pageBytes = 4096;
const pageCount = 64;
const legend = pageClasses.map(({ label }) => label);
const uptodate = healingFacts.structPage.uptodateMask;
/** Struct pages of all frames lie in this page. */
const memmapPage = 2;

let folder: string;
let ramPath: string;
let before: Buffer;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pars-heal-'));
  ramPath = join(folder, 'ram');
  before = Buffer.alloc(pageCount * pageBytes);
  for (let page = 0; page < pageCount; page++) {
    before.writeUInt32LE(uptodate | 0x20, memmapPage * pageBytes + page * 64);
  }
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function lostRun(label: (typeof legend)[number], firstPage: number, count = 1): LostRun {
  return { firstPage, pageCount: count, label: labelNumbers[label], reason: 'lost' };
}

async function heal(
  lost: readonly LostRun[],
  facts: Partial<HealRequest['space']> = {},
  disks: HealRequest['disks'] = [],
) {
  writeFileSync(ramPath, before);
  const space = {
    regions: [{ start: 0, sizeBytes: before.length }],
    healing: {
      ...healingFacts,
      freeByte: 0xaa,
      memmapRuns: [{ firstPfn: 0, pageCount, gpa: memmapPage * pageBytes }],
    },
    ...facts,
  };
  const outlook = healingOutlook(space, { legend }, lost);
  const healing = await healRam({ ramPath, space, outlook, disks });
  return { healing, after: readFileSync(ramPath) };
}

test('free pages get the pattern of their kernel, whatever free list they were on', async () => {
  const lost = [lostRun('free', 8, 3), lostRun('free-pcp', 20), lostRun('offline', 30, 2)];
  const { healing, after } = await heal(lost);
  expect(healing).toMatchObject({ filledPageCount: 6, rereadPageCount: 0, unhealed: [] });
  for (const { firstPage, pageCount: count } of lost) {
    before.fill(0xaa, firstPage * pageBytes, (firstPage + count) * pageBytes);
  }
  expect(after.equals(before)).toBe(true);
});

test('cache is marked as not read, and nothing else changes', async () => {
  const { healing, after } = await heal([lostRun('file-reread', 40, 2)]);
  expect(healing).toMatchObject({ rereadPageCount: 2, rereadFolioCount: 2, unhealed: [] });
  for (const page of [40, 41]) {
    before.writeUInt32LE(0x20, memmapPage * pageBytes + page * 64);
  }
  expect(after.equals(before)).toBe(true);
});

test('struct pages may lie in another order than their pages', async () => {
  const otherPage = 1;
  for (let page = 32; page < pageCount; page++) {
    before.writeUInt32LE(uptodate | 0x20, otherPage * pageBytes + page * 64);
  }
  const healing = {
    ...healingFacts,
    memmapRuns: [
      { firstPfn: 0, pageCount: 32, gpa: memmapPage * pageBytes },
      { firstPfn: 32, pageCount: 32, gpa: otherPage * pageBytes + 32 * 64 },
    ],
  };
  const { after } = await heal([lostRun('file-reread', 30, 4)], { healing });
  for (const [page, at] of [
    [30, memmapPage],
    [31, memmapPage],
    [32, otherPage],
    [33, otherPage],
  ]) {
    before.writeUInt32LE(0x20, at * pageBytes + page * 64);
  }
  expect(after.equals(before)).toBe(true);
});

test('pages of a disk come back if they have their hash, and are refused otherwise', async () => {
  const disk = Buffer.alloc(8 * pageBytes);
  disk.fill('held', 512, 512 + pageBytes);
  disk.fill('changed', 5 * pageBytes, 6 * pageBytes);
  const diskPath = join(folder, 'disk');
  writeFileSync(diskPath, disk);
  const image = DiskImage.open(diskPath);
  try {
    const held = disk.subarray(512, 512 + pageBytes);
    const diskHeld = {
      disks: [{ name: 'vda', sizeBytes: disk.length }],
      page: Uint32Array.of(10, 11),
      disk: Uint8Array.of(0, 0),
      offsetBytes: Float64Array.of(512, 5 * pageBytes),
      hash: Buffer.concat([pageHash(held), pageHash(Buffer.alloc(pageBytes, 'as it was'))]),
    };
    const { healing, after } = await heal([lostRun('disk-held', 10, 2)], { diskHeld }, [
      { name: 'vda', image },
    ]);
    expect(healing.putBackPageCount).toBe(1);
    expect(healing.unhealed).toEqual([
      { ...lostRun('disk-held', 11), why: expect.stringContaining('no disk image') as unknown },
    ]);
    held.copy(before, 10 * pageBytes);
    expect(after.equals(before)).toBe(true);
  } finally {
    image.close();
  }
});

test('a page whose struct page is not that of clean cache any more remains lost, with the reason', async () => {
  before.writeUInt32LE(0x21 | uptodate, memmapPage * pageBytes + 41 * 64);
  const { healing, after } = await heal([lostRun('file-reread', 40, 3)]);
  expect(healing).toMatchObject({ rereadPageCount: 2, rereadFolioCount: 2 });
  expect(healing.unhealed).toEqual([
    {
      ...lostRun('file-reread', 41),
      why: expect.stringContaining('not that of clean cache') as unknown,
    },
  ]);
  expect(after.readUInt32LE(memmapPage * pageBytes + 41 * 64)).toBe(0x21 | uptodate);
});

test('critical pages, and expendable ones of a snapshot without facts, are not healed', async () => {
  const lost = [lostRun('free', 8), lostRun('anon', 9)];
  const { healing, after } = await heal(lost, { healing: undefined });
  expect(healing.unhealed.map(({ why }) => why)).toEqual([
    expect.stringContaining('without what healing needs') as unknown,
    expect.stringContaining('anon are critical') as unknown,
  ]);
  expect(after.equals(before)).toBe(true);
});
