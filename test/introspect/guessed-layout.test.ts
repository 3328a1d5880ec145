// A layout that is guessed is held against where the kernel itself has RAM.
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { classify } from '../../introspect/label/classify.js';
import { findKernel, type Introspected } from '../../introspect/label/find-kernel.js';
import { openRawFile } from '../../introspect/memory/formats/raw-file.js';
import { ImageView } from '../../introspect/memory/image-view.js';
import type { MemoryRegion } from '../../introspect/memory/physical-memory.js';
import { labelNumbers } from '../../introspect/page-class.js';
import { fixtureGuest } from '../guest/fixtures.js';
import type { SnapshotFixture } from '../guest/snapshot-fixture.js';

const guestBootTimeoutMs = 300_000;
const pageBytes = 4096;
const holePages = 256;

let guest: SnapshotFixture;
beforeAll(async () => {
  guest = await fixtureGuest('aged');
}, guestBootTimeoutMs);

/** The first page of a megabyte that the kernel gets along without: nothing reads free pages. */
function freeMegabyte(labels: Uint8Array): number {
  let run = 0;
  for (const [page, label] of labels.entries()) {
    run = label === labelNumbers.free ? run + 1 : 0;
    if (run === holePages) {
      return page + 1 - holePages;
    }
  }
  throw new Error('expected a free megabyte');
}

test('a layout without RAM where the kernel has some is believed only where it is stated', () => {
  const whole = openRawFile(guest.ramPath);
  const { labels } = classify(findKernel(whole));
  whole.close();
  const holeStart = freeMegabyte(labels) * pageBytes;
  const holeEnd = holeStart + holePages * pageBytes;
  const sizeBytes = labels.length * pageBytes;
  const regions: readonly MemoryRegion[] = [
    { gpaStart: 0, sizeBytes: holeStart, imageOffset: 0 },
    { gpaStart: holeEnd, sizeBytes: sizeBytes - holeEnd, imageOffset: holeStart },
  ];
  const fd = openSync(guest.ramPath, 'r');
  const viewAt = (at: readonly MemoryRegion[]): ImageView =>
    new ImageView(at, (imageOffset, target) => {
      const before = Math.max(0, Math.min(target.length, holeStart - imageOffset));
      readSync(fd, target, 0, before, imageOffset);
      const rest = imageOffset + before + holeEnd - holeStart;
      readSync(fd, target, before, target.length - before, rest);
    });
  const found = (isGuessed: boolean): Introspected =>
    findKernel({
      format: 'raw',
      views: [viewAt(regions)],
      ...(isGuessed ? { viewAt } : {}),
      close: () => undefined,
    });
  try {
    expect(found(false).found).toBe(true);
    expect(found(true)).toMatchObject({
      found: false,
      reason: expect.stringMatching(
        /it has RAM from 0x100000 to 0x[0-9a-f]{8}, and the image none there/,
      ) as string,
    });
  } finally {
    closeSync(fd);
  }
});

describe('a file of all addresses, with the hole below 4 GiB among them', () => {
  const gib = 2 ** 30;
  let folder: string;
  let above: SnapshotFixture;
  beforeAll(async () => {
    above = await fixtureGuest('aboveHole');
    folder = mkdtempSync(join(tmpdir(), 'pars-layout-'));
  }, guestBootTimeoutMs);
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  /** The guest's RAM, of which 2 GiB lie below 4 GiB, written where its addresses say, and so many MiB further. */
  function fileByAddress(movedMib: number): string {
    const path = join(folder, `moved-${movedMib}`);
    const parts = [
      ['count=2048', `seek=${movedMib}`],
      ['skip=2048', `seek=${4096 + movedMib}`],
    ];
    for (const words of parts) {
      const files = [`if=${above.ramPath}`, `of=${path}`, 'bs=1M', 'conv=sparse,notrunc'];
      execFileSync('dd', [...files, ...words], { stdio: 'pipe' });
    }
    truncateSync(path, 6 * gib);
    return path;
  }

  test('is read as such', () => {
    const image = openRawFile(fileByAddress(0));
    try {
      const found = findKernel(image);
      const regions = [{ gpaStart: 0, sizeBytes: 6 * gib, imageOffset: 0 }];
      expect(found).toMatchObject({ found: true, memory: { regions } });
      expect(classify(found).evidence).toEqual({ kind: 'complete' });
    } finally {
      image.close();
    }
  });

  test('where no layout fits, the map is named', () => {
    const image = openRawFile(fileByAddress(16));
    try {
      expect(findKernel(image)).toMatchObject({
        found: false,
        reason: expect.stringMatching(/do not map _stext .*IMAGE\.map\.json/) as string,
      });
    } finally {
      image.close();
    }
  });
});
