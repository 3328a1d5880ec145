// LZ4 in WebAssembly against another implementation of the format, lz4-napi, both ways; and blocks that lie.
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { compressSync, uncompressSync } from 'lz4-napi';
import { lz4BlockBytes } from '../../../../src/pack/codec/lz4/block-size.js';
import { lz4, pageWindow } from '../../../../src/pack/codec/lz4/lz4.js';
import { Lz4Memory } from '../../../../src/pack/codec/lz4/lz4-memory.js';
import { noisePage } from '../../sample-pages.js';

const caseCount = Number(process.env['PARS_FUZZ_CASES'] ?? 300);
const seed = Number(process.env['PARS_TEST_SEED'] ?? 15);
const timeoutMs = 12 * 3_600_000;

/** What repeats near and far, in long and short pieces, between bytes that do not. */
const repetitive = fc
  .array(
    fc.oneof(
      fc.record({
        kind: fc.constant('noise' as const),
        sizeBytes: fc.integer({ min: 1, max: 400 }),
      }),
      fc.record({
        kind: fc.constant('again' as const),
        distance: fc.integer({ min: 1, max: 70_000 }),
        sizeBytes: fc.integer({ min: 1, max: 3000 }),
      }),
    ),
    { minLength: 1, maxLength: 60 },
  )
  .map((parts) => {
    const bytes: number[] = [];
    const noise = noisePage(77);
    for (const part of parts) {
      for (let count = 0; count < part.sizeBytes; count++) {
        const from = part.kind === 'again' ? bytes.length - part.distance : -1;
        bytes.push(from < 0 ? noise[(bytes.length * 7) % noise.length] : bytes[from]);
      }
    }
    return Uint8Array.from(bytes.slice(0, 262_144));
  });
const contents = fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 5000 }), repetitive);

/** A block as lz4-napi takes it: with the length of what comes out before it. */
function withLength(block: Uint8Array, rawSizeBytes: number): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(rawSizeBytes);
  return Buffer.concat([length, block]);
}

test(
  'what is packed here is unpacked there, and the other way round, and here again',
  () => {
    fc.assert(
      fc.property(contents, (bytes) => {
        const into = new Uint8Array(bytes.length);
        const sizeBytes = lz4.pack(bytes, into);
        if (sizeBytes !== undefined) {
          expect(sizeBytes).toBeLessThan(bytes.length);
          const block = into.slice(0, sizeBytes);
          expect(uncompressSync(withLength(block, bytes.length)).equals(bytes)).toBe(true);
          const back = new Uint8Array(bytes.length);
          lz4.unpack(block, back);
          expect(Buffer.from(back).equals(bytes)).toBe(true);
          // Whatever was packed before, the same pages give the same block: a store's retry wants that.
          const again = new Uint8Array(bytes.length);
          lz4.pack(noisePage(5), new Uint8Array(4096));
          expect(lz4.pack(bytes, again)).toBe(sizeBytes);
          expect(Buffer.from(again).equals(into)).toBe(true);
        }
        const theirs = compressSync(Buffer.from(bytes)).subarray(4);
        if (theirs.length <= bytes.length) {
          const back = new Uint8Array(bytes.length);
          lz4.unpack(theirs, back);
          expect(Buffer.from(back).equals(bytes)).toBe(true);
        }
      }),
      { numRuns: caseCount, seed },
    );
  },
  timeoutMs,
);

test('pages in the window are packed as others are, and others are unpacked as into it', () => {
  const page = Buffer.concat([noisePage(3).subarray(0, 1000), Buffer.alloc(3096, 7)]);
  const elsewhere = new Uint8Array(4096);
  const sizeBytes = lz4.pack(page, elsewhere);
  const window = pageWindow(4096);
  window.set(page);
  const fromWindow = new Uint8Array(4096);
  expect(lz4.pack(window, fromWindow)).toBe(sizeBytes);
  expect(fromWindow).toEqual(elsewhere);
  window.fill(0);
  lz4.unpack(elsewhere.subarray(0, sizeBytes), window);
  expect(window.equals(page)).toBe(true);
});

test('what does not shrink has no payload', () => {
  expect(lz4.pack(noisePage(9), new Uint8Array(4096))).toBeUndefined();
});

/** Beside the block: nothing of it may be read as part of it, and nothing written. */
test(
  'a block that lies is refused, or gives as many bytes as were asked for; what lies behind stays as it was',
  () => {
    const memory = new Lz4Memory(8192);
    const limits = { minLength: 1, maxLength: 6 };
    const lies = fc.array(fc.tuple(fc.nat(), fc.nat(255)), limits);
    let refusedCount = 0;
    fc.assert(
      fc.property(repetitive, lies, fc.integer({ min: -9, max: 9 }), (bytes, list, cut) => {
        const raw = bytes.subarray(0, 4096);
        memory.raw.set(raw);
        const sizeBytes = memory.compress(raw.length, memory.block.length);
        for (const [at, value] of list) {
          memory.block[at % sizeBytes] = value;
        }
        const room = Math.max(0, raw.length + cut);
        memory.raw.fill(0xa5);
        const count = memory.decompress(Math.max(0, sizeBytes + Math.min(cut, 0)), room);
        expect(count).toBeGreaterThanOrEqual(-1);
        expect(count).toBeLessThanOrEqual(room);
        expect(memory.raw.subarray(room).every((byte) => byte === 0xa5)).toBe(true);
        refusedCount += count === -1 ? 1 : 0;
      }),
      { numRuns: caseCount, seed },
    );
    expect(refusedCount).toBeGreaterThan(0);
  },
  timeoutMs,
);

test.each([
  ['an empty block', []],
  ['a literal that is not there', [0x10]],
  ['a length that goes on for ever', [0xf0, ...new Array<number>(64).fill(255)]],
  ['a match without a distance', [0x10, 1, 5]],
  ['a distance of zero', [0x10, 1, 0, 0, 0]],
  ['a distance that leads before the beginning', [0x10, 1, 2, 0, 0]],
  ['a block that ends with a match', [0x10, 1, 1, 0]],
  ['a match longer than all that is asked for', [0x1f, 1, 1, 0, 255, 255, 255, 255, 0, 0x10, 1]],
])('%s is refused', (_, block) => {
  expect(() => {
    lz4.unpack(Uint8Array.from(block), new Uint8Array(100));
  }).toThrow(/it is not in order/);
});

test('the length of a block is told for what is longer than a frame', () => {
  const sources = readFileSync(new URL('../../../../package-lock.json', import.meta.url));
  const large = Buffer.concat(Array.from({ length: 8 }, () => sources));
  const theirs = compressSync(large).length - 4;
  expect(lz4BlockBytes(large)).toBeGreaterThan(1000);
  expect(lz4BlockBytes(large)).toBeLessThan(theirs * 1.05);
  expect(lz4BlockBytes(noisePage(1))).toBeGreaterThan(4096);
});
