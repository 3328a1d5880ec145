import * as fc from 'fast-check';
import { labelNumbers } from '../../introspect/page-class.js';
import { frameHeaderSizeBytes, maxFrameSizeBytes } from '../../src/pack/layout.js';
import { maskHas, maskPageCount } from '../../src/pack/mask.js';
import type { PackRequest } from '../../src/pack/types.js';
import { planPacks } from '../../src/plan/pack-plan.js';
import { planReplication } from '../../src/plan/plan.js';
import { defaultPolicy, type Policy } from '../../src/plan/policy.js';

const policy: Policy = { ...defaultPolicy, anon: 2 };
const oneWindow = { packContentBytes: maxFrameSizeBytes };

/** Replication of each page by the packs, and how often each is packed. */
function packedPages(packs: readonly PackRequest[], pageCount: number): number[] {
  const replications = new Array<number>(pageCount).fill(0);
  for (const { replication, frames } of packs) {
    for (let frame = 0; frame < frames.window.length; frame++) {
      for (let bit = 0; bit < 64; bit++) {
        if (!maskHas(frames.maskLow[frame], frames.maskHigh[frame], bit)) {
          continue;
        }
        const page = frames.window[frame] * 64 + bit;
        expect(replications[page]).toBe(0);
        replications[page] = replication;
      }
    }
  }
  return replications;
}

function worstCaseBytes({ frames }: PackRequest): number {
  let sizeBytes = 0;
  for (let frame = 0; frame < frames.window.length; frame++) {
    const pageCount = maskPageCount(frames.maskLow[frame], frames.maskHigh[frame]);
    sizeBytes += frameHeaderSizeBytes + pageCount * 4096;
  }
  return sizeBytes;
}

const labelRuns = fc.array(fc.tuple(fc.nat(14), fc.integer({ min: 1, max: 150 })), {
  maxLength: 30,
});

test('every page is in exactly one frame, of a pack with its replication, within the size', () => {
  fc.assert(
    fc.property(labelRuns, fc.nat(2 ** 20), (runs, extraBytes) => {
      const labels = Uint8Array.from(
        runs.flatMap(([label, count]) => new Array<number>(count).fill(label)),
      );
      const plan = planReplication({ labels }, policy);
      const packContentBytes = maxFrameSizeBytes + extraBytes;
      const packs = planPacks(plan, { packContentBytes });
      const expected = new Array<number>(labels.length).fill(0);
      for (let run = 0; run < plan.firstPage.length; run++) {
        const first = plan.firstPage[run];
        expected.fill(plan.replication[run], first, first + plan.runPageCount[run]);
      }
      expect(packedPages(packs, labels.length)).toEqual(expected);
      for (const pack of packs) {
        expect(worstCaseBytes(pack)).toBeLessThanOrEqual(packContentBytes);
        expect([...pack.frames.window]).toEqual(
          [...new Set(pack.frames.window)].sort((a, b) => a - b),
        );
      }
    }),
  );
});

test('packs come by replication, then by window', () => {
  const labels = new Uint8Array(64 * 4).fill(2, 64, 128); // unknown, free, unknown, unknown
  const packs = planPacks(planReplication({ labels }, policy), oneWindow);
  expect(packs.map(({ replication, frames }) => [replication, ...frames.window])).toEqual([
    [1, 1],
    [3, 0],
    [3, 2],
    [3, 3],
  ]);
});

test('a pack is filled before the next is begun', () => {
  const labels = new Uint8Array(64 * 7);
  const plan = planReplication({ labels }, policy);
  const packs = planPacks(plan, { packContentBytes: 3 * maxFrameSizeBytes });
  expect(packs.map(({ frames }) => frames.window.length)).toEqual([3, 3, 1]);
});

test('a last window that is not full has only the pages there are', () => {
  const plan = planReplication({ labels: new Uint8Array(65) }, policy);
  const [pack] = planPacks(plan, { packContentBytes: 2 * maxFrameSizeBytes });
  expect([...pack.frames.maskLow]).toEqual([0xffffffff, 1]);
  expect([...pack.frames.maskHigh]).toEqual([0xffffffff, 0]);
});

test('pages without a copy are in no pack, between others or alone', () => {
  const { anon, free } = labelNumbers;
  const labels = Uint8Array.from({ length: 130 }, (_, page) => (page < 64 ? anon : free));
  const plan = planReplication({ labels }, { ...policy, free: 0 });
  const packs = planPacks(plan, oneWindow);
  expect(packs.map(({ replication, frames }) => [replication, ...frames.window])).toEqual([[2, 0]]);
  const none = planReplication({ labels: labels.subarray(64) }, { ...policy, free: 0 });
  expect(planPacks(none, oneWindow)).toEqual([]);
});

test('no pages make no packs', () => {
  expect(planPacks(planReplication({ labels: new Uint8Array() }, policy), oneWindow)).toEqual([]);
});

test('a pack too small for one window is refused', () => {
  const plan = planReplication({ labels: new Uint8Array(1) }, policy);
  expect(() => planPacks(plan, { packContentBytes: maxFrameSizeBytes - 1 })).toThrow(
    /at least one frame of 262164 bytes, found room for 262163; choose a larger block size/,
  );
});

test('a pack larger than readers take is refused', () => {
  const plan = planReplication({ labels: new Uint8Array(1) }, policy);
  expect(() => planPacks(plan, { packContentBytes: 2 ** 30 })).toThrow(
    /at most 1073741792 bytes of frames, found room for 1073741824; choose a smaller block size/,
  );
});
