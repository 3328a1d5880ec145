// Real guests' caches against their disks of the same moment: what the kernel says is clean is held to the last page,
// mapped or with buffers alike; what it says is dirty never; and a byte that differs loses its own page and no other.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FilePlaces, findFilePlaces } from '../../introspect/heal/file-places.js';
import { classify } from '../../introspect/label/classify.js';
import { findKernel, type Introspected } from '../../introspect/label/find-kernel.js';
import { openRawFile } from '../../introspect/memory/formats/raw-file.js';
import type { MemoryImage } from '../../introspect/memory/memory-image.js';
import { pageIndexOf } from '../../introspect/memory/physical-memory.js';
import { labelNumbers, type PageLabel } from '../../introspect/page-class.js';
import {
  closeGuestDisks,
  diskNames,
  type GuestDisk,
  openGuestDisks,
} from '../../src/disk/guest-disks.js';
import { type ProvenPages, provePages } from '../../src/disk/prove-pages.js';
import { readHeldPages } from '../../src/disk/read-held-pages.js';
import { copySparse } from '../guest/copy-sparse.js';
import { fixtureGuest, type FixtureName } from '../guest/fixtures.js';
import type { KpfName } from '../guest/kpageflags.js';
import { recordBeforeStop } from '../guest/page-record.js';
import { anyOf, type PageStates, pageStates } from '../matrix/page-truth.js';
import { pageBytes, writeAt } from './sample-disk.js';

const bootTimeoutMs = 300_000;

interface Expected {
  readonly name: FixtureName;
  /** Least pages that are held although the kernel says this of them: a check of nothing shows nothing. */
  readonly held: Partial<Record<KpfName, number>>;
}

const guests: readonly Expected[] = [
  { name: 'aged', held: { mmap: 2000, private: 2000 } },
  { name: 'oldest', held: { mmap: 10_000, private: 2000 } },
  { name: 'newest', held: { mmap: 200, private: 2000, compoundTail: 2000 } },
];

describe.each(guests)('guest $name', ({ name, held: least }) => {
  let image: MemoryImage;
  let diskPath: string;
  let introspected: Introspected & { readonly found: true };
  let labels: Uint8Array;
  let places: FilePlaces;
  let disks: readonly GuestDisk[];
  let proof: ProvenPages;
  let states: PageStates;
  let folder: string;

  beforeAll(async () => {
    const fixture = await fixtureGuest(name);
    ({ diskPath } = fixture);
    folder = mkdtempSync(join(tmpdir(), 'pars-guest-cache-'));
    states = pageStates(recordBeforeStop(fixture));
    image = openRawFile(fixture.ramPath);
    const found = findKernel(image);
    if (!found.found) {
      throw new Error(found.reason);
    }
    introspected = found;
    ({ labels } = classify(found));
    places = findFilePlaces(found.kernel, labels);
    disks = openGuestDisks([{ name: undefined, path: diskPath }], diskNames(places));
    proof = await provePages({ memory: found.memory, places, disks });
  }, bootTimeoutMs);

  afterAll(() => {
    closeGuestDisks(disks);
    image.close();
    rmSync(folder, { recursive: true });
  });

  /** How many of the frames with this flag, by the word of the kernel, are held. */
  function heldFrames(flag: KpfName): number {
    const has = anyOf(flag);
    const isHeld = new Uint8Array(labels.length);
    proof.held.page.forEach((page) => (isHeld[page] = 1));
    let count = 0;
    for (let pfn = 0; pfn < states.pfnCount; pfn++) {
      const page = pageIndexOf(introspected.memory.regions, pfn);
      if (page !== undefined && has(states, pfn) && isHeld[page] === 1) {
        count++;
      }
    }
    return count;
  }

  function shareHeld(label: PageLabel): number {
    const all = labels.reduce((sum, own) => sum + (own === labelNumbers[label] ? 1 : 0), 0);
    return (proof.counts.find((entry) => entry.label === label)?.heldPageCount ?? 0) / all;
  }

  test('has nearly all clean cache on its disk', () => {
    expect(proof.warnings).toEqual([]);
    expect(shareHeld('file-reread')).toBe(1);
    // The rest are file systems' own pages, and those right behind a file's end.
    expect(shareHeld('file-clean')).toBeGreaterThan(0.99);
    // What the journal has not let go of yet differs.
    expect(shareHeld('block-device')).toBeGreaterThan(0.5);
  });

  test('has it there mapped and with buffers too', () => {
    const tooFew = Object.entries(least)
      .map(([flag, count]) => ({ flag, count, held: heldFrames(flag as KpfName) }))
      .filter(({ count, held }) => held < count);
    expect(tooFew).toEqual([]);
  });

  test('has nothing there that is dirty, being written or of no file', () => {
    const flags: readonly KpfName[] = ['dirty', 'writeback', 'anon', 'swapbacked', 'slab', 'buddy'];
    expect(flags.filter((flag) => heldFrames(flag) > 0)).toEqual([]);
  });

  test('has every page back from there as it was', async () => {
    const { held } = proof;
    const ram = Buffer.alloc(pageBytes);
    let wrongCount = 0;
    const missing = await readHeldPages({
      disks,
      held,
      wantedPages: held.page,
      onPage: (page, bytes) => {
        introspected.memory.readImage(page * pageBytes, ram);
        wrongCount += ram.equals(bytes) ? 0 : 1;
      },
    });
    expect([missing.length, wrongCount]).toEqual([0, 0]);
  });

  test('loses of a disk of which one byte differs the page of that byte', async () => {
    const { held } = proof;
    const changedPath = join(folder, 'disk.img');
    await copySparse(diskPath, changedPath);
    // Of a file, and read from no second place in memory.
    const isFile = new Set(
      places.page.filter((_, row) => places.label[row] !== labelNumbers['block-device']),
    );
    const timesRead = new Map<number, number>();
    held.offsetBytes.forEach((at) => timesRead.set(at, (timesRead.get(at) ?? 0) + 1));
    const row = held.page.findIndex(
      (page, at) => at > 1000 && isFile.has(page) && timesRead.get(held.offsetBytes[at]) === 1,
    );
    const at = held.offsetBytes[row] + 1234;
    const byte = Buffer.alloc(1);
    disks[0].image.read(at, byte);
    writeAt(changedPath, at, Buffer.from([byte[0] ^ 4]));
    const changed = openGuestDisks([{ name: undefined, path: changedPath }], diskNames(places));
    const again = await provePages({ memory: introspected.memory, places, disks: changed });
    const missing = await readHeldPages({
      disks: changed,
      held,
      wantedPages: held.page,
      onPage: () => undefined,
    });
    closeGuestDisks(changed);
    expect(again.held.page).toEqual(held.page.filter((_, index) => index !== row));
    expect([...missing]).toEqual([held.page[row]]);
  });
});
