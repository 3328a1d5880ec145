import * as fc from 'fast-check';
import { type PageRun, planReread } from '../../../introspect/heal/heal.js';
import type { HealingFacts } from '../../../introspect/heal/healing-facts.js';
import { ImageView } from '../../../introspect/memory/image-view.js';

const structPageBytes = 64;
const memmapBase = 0xffff_ea00_0000_0000n;
const uptodate = 1 << 2;
const dirty = 1 << 4;
const lru = 1 << 5;
const frameCount = 1024;
/** Guest memory begins again after a hole, so that frames and pages of the image differ. */
const lowFrames = 512;
const highStart = 2 ** 32;
/** In low memory, beyond all frames that folios are made of here. */
const memmapGpa = 256 * 4096;
const highMemmapGpa = 300 * 4096;

const firstHighPfn = highStart / 4096;
const pfnOf = (page: number): number => (page < lowFrames ? page : firstHighPfn + page - lowFrames);
const structPageGpa = (page: number): number =>
  page < lowFrames
    ? memmapGpa + page * structPageBytes
    : highMemmapGpa + (page - lowFrames) * structPageBytes;

function factsWith(tailsHoldMask: boolean): HealingFacts {
  return {
    freeByte: 0,
    structPage: {
      sizeBytes: structPageBytes,
      flagsOffset: 0,
      headOffset: 8,
      tailsHoldMask,
      uptodateMask: uptodate,
      busyMask: dirty,
    },
    memmapBase,
    memmapRuns: [
      { firstPfn: 0, pageCount: 200, gpa: memmapGpa },
      { firstPfn: 200, pageCount: lowFrames - 200, gpa: memmapGpa + 200 * structPageBytes },
      { firstPfn: firstHighPfn, pageCount: lowFrames, gpa: highMemmapGpa },
    ],
  };
}

class Image {
  readonly bytes = Buffer.alloc(frameCount * 4096);
  readonly memory = new ImageView(
    [
      { gpaStart: 0, sizeBytes: lowFrames * 4096, imageOffset: 0 },
      { gpaStart: highStart, sizeBytes: lowFrames * 4096, imageOffset: lowFrames * 4096 },
    ],
    (offset, target) => {
      this.bytes.copy(target, 0, offset, offset + target.length);
    },
  );

  constructor(tailsHoldMask: boolean, folios: readonly { page: number; order: number }[]) {
    for (const { page, order } of folios) {
      this.setFlags(page, uptodate | lru);
      const head = memmapBase + BigInt(pfnOf(page) * structPageBytes);
      const mask = BigInt.asUintN(64, -(BigInt(structPageBytes) << BigInt(order)));
      for (let tail = page + 1; tail < page + 2 ** order; tail++) {
        this.bytes.writeBigUInt64LE((tailsHoldMask ? mask : head) | 1n, structPageGpa(tail) + 8);
      }
    }
  }

  setFlags(page: number, flags: number): void {
    this.bytes.writeUInt32LE(flags, structPageGpa(page));
  }

  flagsOf(page: number): number {
    return this.bytes.readUInt32LE(structPageGpa(page));
  }

  heal(facts: HealingFacts, lost: readonly PageRun[]) {
    const plan = planReread(facts, this.memory, lost);
    plan.edits.imageOffset.forEach((offset, edit) => {
      this.bytes[offset] = plan.edits.value[edit];
    });
    return plan;
  }
}

/** Aligned folios one after the other, none of them among the frames that hold struct pages. */
const folioLists = fc
  .array(
    fc.record({ order: fc.nat(5), high: fc.boolean(), lost: fc.nat(), isLost: fc.boolean() }),
    {
      maxLength: 20,
    },
  )
  .map((list) => {
    const next = { low: 0, high: lowFrames };
    return list.flatMap(({ order, high, lost, isLost }) => {
      const side = high ? 'high' : 'low';
      const page = Math.ceil(next[side] / 2 ** order) * 2 ** order;
      const end = page + 2 ** order;
      if (end > (high ? frameCount : 256)) {
        return [];
      }
      next[side] = end;
      return [{ page, order, lost: isLost ? page + (lost % 2 ** order) : undefined }];
    });
  });

test('whatever part of a folio is lost, its head alone changes, and only in PG_uptodate', () => {
  fc.assert(
    fc.property(folioLists, fc.boolean(), (folios, tailsHoldMask) => {
      const image = new Image(tailsHoldMask, folios);
      const before = Buffer.from(image.bytes);
      const lost = folios
        .flatMap((folio) => (folio.lost === undefined ? [] : [folio.lost]))
        .sort((a, b) => a - b)
        .map((firstPage) => ({ firstPage, pageCount: 1 }));
      const plan = image.heal(factsWith(tailsHoldMask), lost);
      expect(plan.refused).toEqual([]);
      expect(plan.folioCount).toBe(lost.length);
      for (const folio of folios) {
        expect(image.flagsOf(folio.page)).toBe(folio.lost === undefined ? uptodate | lru : lru);
        before.writeUInt32LE(image.flagsOf(folio.page), structPageGpa(folio.page));
      }
      expect(image.bytes.equals(before)).toBe(true);
    }),
  );
});

test.each([false, true])('a folio lost as a whole is one edit (tails hold masks: %s)', (masks) => {
  const image = new Image(masks, [{ page: 64, order: 5 }]);
  const plan = image.heal(factsWith(masks), [{ firstPage: 64, pageCount: 32 }]);
  expect(plan).toMatchObject({ folioCount: 1, refused: [] });
  expect(plan.edits.value).toHaveLength(1);
});

test('pages that are not clean cache any more are refused, with what was found', () => {
  const image = new Image(false, [
    { page: 4, order: 0 },
    { page: 5, order: 0 },
    { page: 6, order: 0 },
  ]);
  image.setFlags(5, uptodate | lru | dirty);
  image.setFlags(6, lru);
  const plan = image.heal(factsWith(false), [{ firstPage: 4, pageCount: 3 }]);
  expect(plan.folioCount).toBe(1);
  expect(plan.refused).toEqual([
    { firstPage: 5, pageCount: 1, reason: expect.stringContaining('flags 0x34') as unknown },
    { firstPage: 6, pageCount: 1, reason: expect.stringContaining('flags 0x20') as unknown },
  ]);
});

test('a tail without a head, and a frame without a known struct page, are refused', () => {
  const image = new Image(false, [{ page: 8, order: 3 }]);
  // A head beyond its tail.
  image.bytes.writeBigUInt64LE((memmapBase + 640n) | 1n, structPageGpa(9) + 8);
  const facts = {
    ...factsWith(false),
    memmapRuns: [{ firstPfn: 0, pageCount: 10, gpa: memmapGpa }],
  };
  const { refused } = image.heal(facts, [
    { firstPage: 9, pageCount: 1 },
    { firstPage: 10, pageCount: 2 },
  ]);
  expect(refused.map(({ firstPage, pageCount }) => [firstPage, pageCount])).toEqual([
    [9, 1],
    [10, 1],
    [11, 1],
  ]);
  expect(refused[0].reason).toContain('head cannot be found');
  expect(refused[1].reason).toContain('does not say where');
});

test('facts that lead anywhere never lead out of the image', () => {
  const wild = fc.record({
    memmapBase: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    gpa: fc.nat(2 ** 24),
    pageCount: fc.nat(2000),
    firstPfn: fc.nat(600),
    headOffset: fc.constantFrom(0, 8, 16, 56),
    flagsOffset: fc.constantFrom(0, 8, 56),
    tailsHoldMask: fc.boolean(),
    uptodateMask: fc.nat(31).map((bit) => (1 << bit) >>> 0),
  });
  fc.assert(
    fc.property(wild, fc.uint8Array({ minLength: 64, maxLength: 64 }), (facts, noise) => {
      const image = new Image(false, []);
      image.bytes.fill(noise);
      const { edits } = planReread(
        {
          freeByte: 0,
          structPage: { ...factsWith(facts.tailsHoldMask).structPage, ...facts },
          memmapBase: facts.memmapBase,
          memmapRuns: [facts],
        },
        image.memory,
        [{ firstPage: 0, pageCount: frameCount }],
      );
      expect(edits.imageOffset.every((at) => at >= 0 && at < image.bytes.length)).toBe(true);
    }),
  );
});
