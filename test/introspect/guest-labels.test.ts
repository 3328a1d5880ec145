// The labels against the guest kernel's own word, /proc/kpageflags. It is read right before the stop and again as the
// first act of a resumed copy; the truth is what both readings agree on.
import { classify } from '../../introspect/classify.js';
import { findKernelInImage } from '../../introspect/find-kernel.js';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { RawFile } from '../../introspect/memory/raw-file.js';
import { pageClasses, type PageLabel } from '../../introspect/page-class.js';
import type { PageMap } from '../../introspect/page-map.js';
import { type FixtureName, fixtureGuest } from '../guest/fixtures.js';
import { resumeGuest } from '../guest/guest.js';
import { Kpageflags, type KpfName } from '../guest/kpageflags.js';

const bootTimeoutMs = 300_000;

interface Observed {
  readonly map: PageMap;
  /** Calls back for every page of the image whose flags both readings agree on. */
  readonly eachAgreed: (
    visit: (label: PageLabel, has: (name: KpfName) => boolean, flags: bigint) => void,
  ) => number;
}

async function observe(name: FixtureName): Promise<Observed> {
  const fixture = await fixtureGuest(name);
  const image = RawFile.open(fixture.ramPath);
  const map = classify(findKernelInImage(image));
  image.close();
  const before = Kpageflags.fromFile(fixture.kpageflagsPath);
  const copy = await resumeGuest(fixture);
  const after = await copy.kpageflags(1).finally(() => copy.close());
  return {
    map,
    eachAgreed: (visit) => {
      let agreedCount = 0;
      for (const region of map.regions) {
        const firstPfn = region.gpaStart / pageSizeBytes;
        const firstPage = region.imageOffset / pageSizeBytes;
        for (let page = 0; page < region.sizeBytes / pageSizeBytes; page++) {
          const pfn = firstPfn + page;
          if (pfn < before.pfnCount && before.at(pfn) === after.at(pfn)) {
            agreedCount++;
            visit(
              pageClasses[map.labels[firstPage + page]].label,
              (flag) => before.has(pfn, flag),
              before.at(pfn),
            );
          }
        }
      }
      return agreedCount;
    },
  };
}

const expendable = new Set<PageLabel>(
  pageClasses.filter((entry) => entry.expendable).map(({ label }) => label),
);

describe.each(['aged', 'aboveHole'] as const)('guest %s', (name) => {
  let guest: Observed;

  beforeAll(async () => {
    guest = await observe(name);
  }, bootTimeoutMs);

  test('its structures add up, and the two readings agree on nearly every page', () => {
    expect(guest.map.evidence).toEqual({ kind: 'complete' });
    expect(guest.map.warnings).toEqual([]);
    const agreedCount = guest.eachAgreed(() => undefined);
    expect(agreedCount).toBeGreaterThan(guest.map.labels.length * 0.99);
  });

  test.each([
    'dirty',
    'anon',
    'slab',
    'pageTable',
    'locked',
    'writeback',
    'mmap',
    'swapbacked',
    'reserved',
    'unevictable',
    'private',
  ] as const)('no expendable page is %s to the kernel', (flag) => {
    let wrongCount = 0;
    let flaggedCount = 0;
    guest.eachAgreed((label, has) => {
      if (has(flag)) {
        flaggedCount++;
        if (expendable.has(label)) {
          wrongCount++;
        }
      }
    });
    expect(wrongCount).toBe(0);
    // Nothing is locked, under writeback or unevictable in a guest at rest; the others must occur.
    if (!['locked', 'writeback', 'unevictable'].includes(flag)) {
      expect(flaggedCount).toBeGreaterThan(0);
    }
  });

  test('at least 99 % of the pages the kernel calls buddy are found free, and no other page is', () => {
    const counts = { buddy: 0, found: 0, wronglyFree: 0 };
    guest.eachAgreed((label, has) => {
      if (has('buddy')) {
        counts.buddy++;
        if (label === 'free') {
          counts.found++;
        }
      } else if (label === 'free') {
        counts.wronglyFree++;
      }
    });
    expect(counts.buddy).toBeGreaterThan(10_000);
    expect(counts.found).toBeGreaterThanOrEqual(counts.buddy * 0.99);
    expect(counts.wronglyFree).toBe(0);
  });

  test('pages on per-CPU lists carry no flag of use', () => {
    let count = 0;
    guest.eachAgreed((label, has) => {
      if (label === 'free-pcp') {
        count++;
        expect(has('lru') || has('anon') || has('slab') || has('buddy')).toBe(false);
      }
    });
    expect(count).toBeGreaterThan(0);
  });

  test('re-readable cache is clean, up to date, unmapped cache', () => {
    let count = 0;
    guest.eachAgreed((label, has) => {
      if (label === 'file-reread') {
        count++;
        expect(has('uptodate') && has('lru') && !has('dirty') && !has('mmap')).toBe(true);
      }
    });
    // The workload reads 150 MiB of files.
    expect(count).toBeGreaterThan(30_000);
  });

  test.each([
    ['slab', 'slab'],
    ['anon', 'anon'],
    ['reserved', 'reserved'],
  ] as const)('what is labelled %s carries the kernel flag %s', (label, flag) => {
    const counts = { labelled: 0, freeAtBothReadings: 0, otherwiseUsed: 0 };
    guest.eachAgreed((found, has, flags) => {
      if (found === label) {
        counts.labelled++;
        if (!has(flag)) {
          // A page may be taken after the first reading and given back before the second. Then both show it free:
          // on a CPU's list, which is no flag at all, or in the buddy allocator.
          counts[flags === 0n || has('buddy') ? 'freeAtBothReadings' : 'otherwiseUsed']++;
        }
      }
    });
    expect(counts.labelled).toBeGreaterThan(0);
    expect(counts.otherwiseUsed).toBe(0);
    expect(counts.freeAtBothReadings).toBeLessThan(100);
  });

  test('shared memory and dirty file pages are told apart from each other', () => {
    const counts = { shmem: 0, dirty: 0 };
    guest.eachAgreed((label, has) => {
      if (label === 'shmem') {
        counts.shmem++;
        expect(has('anon')).toBe(false);
      } else if (label === 'file-dirty') {
        counts.dirty++;
        expect(has('swapbacked') || has('anon')).toBe(false);
      }
    });
    // 20 MiB in tmpfs, 4 MiB written and not synced.
    expect(counts.shmem).toBeGreaterThan(5_000);
    expect(counts.dirty).toBeGreaterThan(1_000);
  });
});
