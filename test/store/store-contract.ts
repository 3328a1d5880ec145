// What every store must do, as one suite that each store's own test file runs. A behaviour that only one store has is
// tested beside that store.
//
// One store serves the whole suite, because one of them is a real HDFS cluster that takes a minute to start; so each
// test works in a folder of its own. The store needs three live nodes or disks at least.

import type { ErrorCode } from '../../introspect/pars-error.js';
import { ParsError } from '../../introspect/pars-error.js';
import type { RaiseRedundancy, StoreCapabilities } from '../../src/store/capabilities.js';
import { copies, reedSolomon } from '../../src/store/redundancy.js';
import {
  codingFolder,
  type Store,
  type StoredBlock,
  type WriteOptions,
} from '../../src/store/store.js';

const mebibyte = 1024 * 1024;

/** Real clusters report a new copy only with the node's next block report. */
const blockReportTimeoutMs = 20_000;
const openTimeoutMs = 600_000;
const testTimeoutMs = 120_000;

const blockSizeBytes = 16 * mebibyte;
const once: WriteOptions = { redundancy: copies(1), blockSizeBytes };
const thrice: WriteOptions = { redundancy: copies(3), blockSizeBytes };

/** Bytes that differ from position to position and from seed to seed, so that a shifted or mixed-up read shows. */
function sampleBytes(sizeBytes: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  let state = (seed * 2654435761 + 1) >>> 0;
  for (let i = 0; i < sizeBytes; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state;
  }
  return bytes;
}

/** `bytes` as a stream whose chunk sizes walk round `chunkSizesBytes`; empty chunks are part of the game. */
async function* streamed(
  bytes: Uint8Array,
  chunkSizesBytes: readonly number[],
): AsyncGenerator<Uint8Array> {
  let offsetBytes = 0;
  for (let chunk = 0; offsetBytes < bytes.length; chunk++) {
    await Promise.resolve();
    const sizeBytes = chunkSizesBytes[chunk % chunkSizesBytes.length];
    yield bytes.subarray(offsetBytes, offsetBytes + sizeBytes);
    offsetBytes += sizeBytes;
  }
}

/** The code of the ParsError that `act` ends with; anything but a ParsError fails the test as it is. */
async function codeOf(act: () => Promise<unknown>): Promise<ErrorCode | 'no error'> {
  try {
    await act();
    return 'no error';
  } catch (error) {
    if (error instanceof ParsError) {
      return error.code;
    }
    throw error;
  }
}

/** Jest's own comparison of megabytes walks them one by one and prints them on a difference. */
function expectSameBytes(actual: Uint8Array, expected: Uint8Array): void {
  expect(actual.length).toBe(expected.length);
  expect(Buffer.compare(actual, expected)).toBe(0);
}

async function liveBlocks(
  store: Store,
  name: string,
  wantedCount: number,
): Promise<readonly StoredBlock[]> {
  const deadlineMs = Date.now() + blockReportTimeoutMs;
  for (;;) {
    const blocks = await store.blocks(name);
    if (
      blocks.every((block) => block.locations.length === wantedCount) ||
      Date.now() > deadlineMs
    ) {
      return blocks;
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/**
 * Declares the suite. `open` is called once; `cleanup` is called after the store was closed and removes what the store
 * kept its files in. `can`: what the store can do beyond what all can.
 */
export function describeStoreContract(
  name: string,
  open: () => Promise<{ store: Store; cleanup: () => Promise<void> }>,
  can: readonly (keyof StoreCapabilities)[] = [],
): void {
  describe(`${name} keeps the store contract`, () => {
    let store: Store;
    let cleanup: () => Promise<void> = () => Promise.resolve();

    beforeAll(async () => {
      const opened = await open();
      cleanup = opened.cleanup;
      // A copy of its own members is how a store is decorated, so a copy must do all that the store does.
      store = { ...opened.store };
    }, openTimeoutMs);

    afterAll(async () => {
      try {
        // Not opened when `open` itself failed; then only the cleanup is left to do.
        await (store as Store | undefined)?.close();
      } finally {
        await cleanup();
      }
    }, testTimeoutMs);

    function behaves(sentence: string, check: () => Promise<void>): void {
      it(sentence, check, testTimeoutMs);
    }

    async function writeBytes(file: string, bytes: Uint8Array, options = once): Promise<number> {
      return store.write(file, () => [bytes], options);
    }

    /** A file that fills no stripe, in a code that three nodes are enough for to read. */
    async function expectCodedFile(): Promise<void> {
      const bytes = sampleBytes(4 * mebibyte + 7, 18);
      const options = { ...once, redundancy: reedSolomon(3, 2) };
      expect(await writeBytes('coded/a', bytes, options)).toBe(bytes.length);
      expectSameBytes(await store.read('coded/a', 0, bytes.length), bytes);
      const [block] = await liveBlocks(store, 'coded/a', 5);
      expect(block.locations).toHaveLength(5);
      expect(block.coding).toEqual({ dataUnitCount: 3, parityUnitCount: 2 });
      // The second stripe has one cell and a bit of the next, and its parity is as long as that cell.
      expect(await store.storedBytes('coded/a')).toBe(bytes.length + 4 * mebibyte);
      expect((await store.list('coded')).map(({ name }) => name)).toEqual(['coded/a']);
      expect(await codeOf(() => writeBytes('coded/a', bytes, options))).toBe('already-exists');
      for (const { name } of await store.list(codingFolder)) {
        expect(await store.list(name)).toEqual([]);
      }
    }

    async function expectNothingAt(file: string, folder: string): Promise<void> {
      expect(await store.stat(file)).toBeUndefined();
      expect(await store.list(folder)).toEqual([]);
    }

    describe('write and read', () => {
      for (const sizeBytes of [0, 1, 511, 512, 513, 65535, 65536, 65537, 5 * mebibyte + 3]) {
        behaves(`give ${sizeBytes} bytes back as they were`, async () => {
          const file = `round-trip/${sizeBytes}.bin`;
          const bytes = sampleBytes(sizeBytes, sizeBytes);
          expect(await writeBytes(file, bytes, thrice)).toBe(sizeBytes);
          expectSameBytes(await store.read(file, 0, sizeBytes), bytes);
        });
      }

      behaves('take a stream of odd chunks, empty ones among them', async () => {
        const bytes = sampleBytes(2 * mebibyte + 17, 7);
        const chunkSizesBytes = [1, 0, 4095, 65537, 3, 131072, 511];
        expect(
          await store.write('streamed/a', () => streamed(bytes, chunkSizesBytes), thrice),
        ).toBe(bytes.length);
        expectSameBytes(await store.read('streamed/a', 0, bytes.length), bytes);
      });

      behaves('take content whose maker uses its memory again for the next chunk', async () => {
        const bytes = sampleBytes(2 * mebibyte + 17, 8);
        const chunkSizesBytes = [1, 100, 70_000, mebibyte, 511, 300_000, 7];
        const memory = new Uint8Array(mebibyte);
        async function* reusing(): AsyncGenerator<Uint8Array> {
          for await (const chunk of streamed(bytes, chunkSizesBytes)) {
            memory.fill(0xa5);
            memory.set(chunk);
            yield memory.subarray(0, chunk.length);
          }
          memory.fill(0xa5);
        }
        expect(await store.write('reused/a', reusing, thrice)).toBe(bytes.length);
        expectSameBytes(await store.read('reused/a', 0, bytes.length), bytes);
      });

      behaves('give a range in memory of the caller, where a store uses it', async () => {
        const bytes = sampleBytes(300_001, 9);
        await writeBytes('given/a', bytes, thrice);
        const memory = new Uint8Array(500_000);
        const into = memory.subarray(1_000, 401_000);
        for (const [offsetBytes, sizeBytes] of [
          [0, 300_001],
          [65_536, 65_536],
          [131_071, 100_000],
          [300_000, 1],
          [12_345, 0],
        ]) {
          memory.fill(0xa5);
          const found = await store.read('given/a', offsetBytes, sizeBytes, { into });
          expectSameBytes(found, bytes.subarray(offsetBytes, offsetBytes + sizeBytes));
          if (found.buffer === memory.buffer && sizeBytes > 0) {
            expect(found.byteOffset).toBeGreaterThanOrEqual(into.byteOffset);
            expect(found.byteOffset + sizeBytes).toBeLessThanOrEqual(1_000 + into.length);
          }
          const around = [...memory.subarray(0, 1_000), ...memory.subarray(401_000)];
          expect(around.every((byte) => byte === 0xa5)).toBe(true);
        }
        const tooSmall = { into: new Uint8Array(999) };
        expect(await codeOf(() => store.read('given/a', 0, 1_000, tooSmall))).toBe('usage');
      });

      behaves('give any range', async () => {
        const bytes = sampleBytes(300_001, 9);
        await writeBytes('ranges/a', bytes, thrice);
        const ranges = [
          [0, 1],
          [1, 65535],
          [65535, 2],
          [65536, 65536],
          [131_071, 100_000],
          [300_000, 1],
          [12_345, 0],
          [300_001, 0],
        ];
        for (const [offsetBytes, sizeBytes] of ranges) {
          expectSameBytes(
            await store.read('ranges/a', offsetBytes, sizeBytes),
            bytes.subarray(offsetBytes, offsetBytes + sizeBytes),
          );
        }
      });

      behaves('refuse a range past the end as corrupt', async () => {
        await writeBytes('past-end/a', sampleBytes(1000, 10));
        await writeBytes('past-end/empty', new Uint8Array());
        expect(await codeOf(() => store.read('past-end/a', 0, 1001))).toBe('corrupt');
        expect(await codeOf(() => store.read('past-end/a', 999, 2))).toBe('corrupt');
        expect(await codeOf(() => store.read('past-end/a', 1000, 1))).toBe('corrupt');
        expect(await codeOf(() => store.read('past-end/a', 5000, 10))).toBe('corrupt');
        expect(await codeOf(() => store.read('past-end/empty', 0, 1))).toBe('corrupt');
      });

      behaves('say not-found for a name that is not there or is a folder', async () => {
        await writeBytes('missing/folder/a', sampleBytes(10, 11));
        for (const file of ['missing/b', 'missing/folder', 'missing/no/such/folder']) {
          expect(await codeOf(() => store.read(file, 0, 1))).toBe('not-found');
          expect(await codeOf(() => store.read(file, 0, 0))).toBe('not-found');
        }
        expect(await codeOf(() => store.blocks('missing/b'))).toBe('not-found');
      });

      behaves('never overwrite', async () => {
        const bytes = sampleBytes(1000, 12);
        await writeBytes('taken/a', bytes);
        await writeBytes('taken/folder/b', bytes);
        expect(await codeOf(() => writeBytes('taken/a', sampleBytes(2000, 13)))).toBe(
          'already-exists',
        );
        expect(await codeOf(() => writeBytes('taken/folder', bytes))).toBe('already-exists');
        expectSameBytes(await store.read('taken/a', 0, 1000), bytes);
        expectSameBytes(await store.read('taken/folder/b', 0, 1000), bytes);
      });

      behaves('write a removed name anew', async () => {
        await writeBytes('anew/a', sampleBytes(1000, 14));
        await store.remove('anew/a');
        const bytes = sampleBytes(500, 15);
        await writeBytes('anew/a', bytes);
        expectSameBytes(await store.read('anew/a', 0, 500), bytes);
      });

      behaves('refuse a file larger than its block and leave nothing', async () => {
        const options = { redundancy: copies(1), blockSizeBytes: mebibyte };
        await writeBytes('block/exact', sampleBytes(mebibyte, 16), options);
        await store.remove('block/exact');
        const act = () => writeBytes('block/a', sampleBytes(mebibyte + 1, 16), options);
        expect(await codeOf(act)).toBe('usage');
        await expectNothingAt('block/a', 'block');
      });

      behaves('refuse copies and block sizes that cannot be, and leave nothing', async () => {
        const bytes = sampleBytes(10, 17);
        for (const wrong of [
          { redundancy: copies(0) },
          { redundancy: copies(1.5) },
          { blockSizeBytes: 0 },
          { blockSizeBytes: 1000 },
        ]) {
          const act = () => writeBytes('wrong/a', bytes, { ...once, ...wrong });
          expect(await codeOf(act)).toBe('usage');
        }
        await expectNothingAt('wrong/a', 'wrong');
      });

      const codes = can.includes('writeErasureCoded');
      const refuses = 'refuse a redundancy that the store cannot write, and say what it can';
      behaves(codes ? 'keep a file in a code, and leave nothing beside it' : refuses, async () => {
        if (codes) {
          await expectCodedFile();
          return;
        }
        const options = { ...once, redundancy: reedSolomon(6, 3) };
        const writing = writeBytes('coded/a', sampleBytes(10, 18), options);
        await expect(writing).rejects.toMatchObject({
          code: 'unsupported',
          message: expect.stringMatching(/RS-6-3.*whole copies/) as string,
        });
        await expectNothingAt('coded/a', 'coded');
      });
    });

    describe('a write under a name that tells nothing', () => {
      const options: WriteOptions = { ...thrice, nameTells: 'nothing' };

      behaves('gives the bytes back, and its copies', async () => {
        for (const sizeBytes of [0, 1, mebibyte + 1]) {
          const file = `tells-nothing/deep/${sizeBytes}`;
          const bytes = sampleBytes(sizeBytes, 19);
          expect(await writeBytes(file, bytes, options)).toBe(sizeBytes);
          expectSameBytes(await store.read(file, 0, sizeBytes), bytes);
          expect(await store.storedBytes(file)).toBe(3 * sizeBytes);
        }
        expect(await store.list('tells-nothing/deep')).toHaveLength(3);
      });

      behaves('never overwrites', async () => {
        const bytes = sampleBytes(1000, 20);
        await writeBytes('tells-nothing-taken/a', bytes);
        await writeBytes('tells-nothing-taken/b', bytes, options);
        await writeBytes('tells-nothing-taken/empty', new Uint8Array());
        await writeBytes('tells-nothing-taken/folder/c', bytes, options);
        for (const taken of ['a', 'b', 'empty', 'folder']) {
          const act = () =>
            writeBytes(`tells-nothing-taken/${taken}`, sampleBytes(10, 21), options);
          expect(await codeOf(act)).toBe('already-exists');
        }
        expectSameBytes(await store.read('tells-nothing-taken/a', 0, 1000), bytes);
        expectSameBytes(await store.read('tells-nothing-taken/b', 0, 1000), bytes);
        expect((await store.stat('tells-nothing-taken/empty'))?.sizeBytes).toBe(0);
        expect(await store.list('tells-nothing-taken')).toHaveLength(4);
      });

      behaves('that fails leaves nothing, and can be done again', async () => {
        const failure = new Error('the guest went away');
        async function* failing(): AsyncGenerator<Uint8Array> {
          yield sampleBytes(2_000_000, 22);
          await Promise.resolve();
          throw failure;
        }
        const file = 'tells-nothing-failing/a';
        await expect(store.write(file, failing, options)).rejects.toBe(failure);
        await expectNothingAt(file, 'tells-nothing-failing');
        const tooLarge = { ...options, blockSizeBytes: mebibyte };
        const act = () => writeBytes(file, sampleBytes(mebibyte + 1, 23), tooLarge);
        expect(await codeOf(act)).toBe('usage');
        await expectNothingAt(file, 'tells-nothing-failing');
        const signal = AbortSignal.timeout(50);
        async function* endless(): AsyncGenerator<Uint8Array> {
          for (;;) {
            await new Promise((resolve) => setTimeout(resolve, 5));
            yield sampleBytes(10_000, 24);
          }
        }
        expect(await codeOf(() => store.write(file, endless, { ...options, signal }))).toBe(
          'cancelled',
        );
        await expectNothingAt(file, 'tells-nothing-failing');
        expect(await writeBytes(file, sampleBytes(100, 25), options)).toBe(100);
      });
    });

    describe('a write that fails', () => {
      behaves('passes the error of the content on and leaves nothing', async () => {
        const failure = new Error('the guest went away');
        async function* failing(): AsyncGenerator<Uint8Array> {
          yield sampleBytes(200_000, 20);
          await Promise.resolve();
          throw failure;
        }
        await expect(store.write('failing/a', failing, thrice)).rejects.toBe(failure);
        await expectNothingAt('failing/a', 'failing');
      });

      behaves('can be done again under the same name', async () => {
        const bytes = sampleBytes(100_000, 21);
        let callCount = 0;
        const content = () => {
          callCount++;
          if (callCount === 1) {
            throw new Error('not yet');
          }
          return streamed(bytes, [777]);
        };
        await expect(store.write('again/a', content, thrice)).rejects.toThrow('not yet');
        expect(await store.write('again/a', content, thrice)).toBe(bytes.length);
        expectSameBytes(await store.read('again/a', 0, bytes.length), bytes);
      });

      behaves('by abort before it began says cancelled and leaves nothing', async () => {
        const signal = AbortSignal.abort();
        const act = () => writeBytes('aborted-before/a', sampleBytes(10, 22), { ...once, signal });
        expect(await codeOf(act)).toBe('cancelled');
        await expectNothingAt('aborted-before/a', 'aborted-before');
      });

      behaves('by abort amid the stream says cancelled and leaves nothing', async () => {
        const abort = new AbortController();
        async function* endless(): AsyncGenerator<Uint8Array> {
          for (let chunkCount = 0; ; chunkCount++) {
            if (chunkCount === 5) {
              abort.abort();
            }
            await new Promise((resolve) => setTimeout(resolve, 1));
            yield sampleBytes(100_000, 23);
          }
        }
        const act = () =>
          store.write('aborted-amid/a', endless, { ...thrice, signal: abort.signal });
        expect(await codeOf(act)).toBe('cancelled');
        await expectNothingAt('aborted-amid/a', 'aborted-amid');
      });
    });

    behaves('every method says cancelled when its signal is aborted already', async () => {
      await writeBytes('aborted/a', sampleBytes(10, 24));
      const signal = AbortSignal.abort();
      expect(await codeOf(() => store.read('aborted/a', 0, 1, { signal }))).toBe('cancelled');
      expect(await codeOf(() => store.blocks('aborted/a', { signal }))).toBe('cancelled');
      expect(await codeOf(() => store.storedBytes('aborted/a', { signal }))).toBe('cancelled');
      expect(await codeOf(() => store.stat('aborted/a', { signal }))).toBe('cancelled');
      expect(await codeOf(() => store.list('aborted', { signal }))).toBe('cancelled');
      expect(await codeOf(() => store.rename('aborted/a', 'aborted/b', { signal }))).toBe(
        'cancelled',
      );
      expect(await codeOf(() => store.remove('aborted/a', { signal }))).toBe('cancelled');
      expect((await store.list('aborted')).map((file) => file.name)).toEqual(['aborted/a']);
    });

    describe('concurrent writes', () => {
      behaves('of many names all arrive', async () => {
        const seeds = Array.from({ length: 12 }, (_, index) => index);
        const bytesOf = (seed: number) => sampleBytes(100_000 + seed * 4097, 100 + seed);
        await Promise.all(
          seeds.map((seed) =>
            store.write(`many/${seed}`, () => streamed(bytesOf(seed), [10_007]), thrice),
          ),
        );
        for (const seed of seeds) {
          const bytes = bytesOf(seed);
          expectSameBytes(await store.read(`many/${seed}`, 0, bytes.length), bytes);
        }
        expect(await store.list('many')).toHaveLength(seeds.length);
      });

      behaves('of one name have one winner, whose bytes stay', async () => {
        const candidates = [30, 31, 32].map((seed) => sampleBytes(50_000 + seed, seed));
        const outcomes = await Promise.all(
          candidates.map((bytes) => codeOf(() => writeBytes('one/a', bytes))),
        );
        expect([...outcomes].sort()).toEqual(['already-exists', 'already-exists', 'no error']);
        const winner = candidates[outcomes.indexOf('no error')];
        expectSameBytes(await store.read('one/a', 0, winner.length), winner);
        expect((await store.stat('one/a'))?.sizeBytes).toBe(winner.length);
      });
    });

    describe('blocks', () => {
      for (const copyCount of [1, 3]) {
        behaves(`are one with ${copyCount} distinct live locations`, async () => {
          const file = `blocks/${copyCount}`;
          const options = { redundancy: copies(copyCount), blockSizeBytes };
          await writeBytes(file, sampleBytes(200_000, 40), options);
          const blocks = await liveBlocks(store, file, copyCount);
          expect(blocks).toHaveLength(1);
          expect(blocks[0]).toMatchObject({ offsetBytes: 0, sizeBytes: 200_000 });
          expect(new Set(blocks[0].locations).size).toBe(copyCount);
          expect(blocks[0].locations).toHaveLength(copyCount);
        });
      }

      behaves('of an empty file are none', async () => {
        await writeBytes('blocks/empty', new Uint8Array());
        expect(await store.blocks('blocks/empty')).toEqual([]);
      });
    });

    describe('stored bytes', () => {
      behaves('are those of all copies', async () => {
        await writeBytes('stored/once', sampleBytes(200_001, 45), once);
        await writeBytes('stored/thrice', sampleBytes(70_003, 46), thrice);
        await writeBytes('stored/empty', new Uint8Array(), thrice);
        expect(await store.storedBytes('stored/once')).toBe(200_001);
        expect(await store.storedBytes('stored/thrice')).toBe(3 * 70_003);
        expect(await store.storedBytes('stored/empty')).toBe(0);
      });

      behaves('of a folder or of nothing are not-found', async () => {
        await writeBytes('stored/folder/a', sampleBytes(10, 47));
        expect(await codeOf(() => store.storedBytes('stored/folder'))).toBe('not-found');
        expect(await codeOf(() => store.storedBytes('stored/nothing'))).toBe('not-found');
      });
    });

    it('can do what it says, and no more', () => {
      expect(Object.keys(store.can).sort()).toEqual([...can].sort());
    });

    if (can.includes('raiseRedundancy')) {
      describe('raised redundancy', () => {
        function raiseRedundancy(): RaiseRedundancy {
          const raise = store.can.raiseRedundancy;
          if (raise === undefined) {
            throw new Error('the store cannot raise a redundancy');
          }
          return raise;
        }

        behaves('makes copies of a file that is there, and keeps its bytes', async () => {
          const raise = raiseRedundancy();
          const bytes = sampleBytes(70_001, 48);
          await writeBytes('raised/a', bytes, once);
          await raise('raised/a', copies(3));
          expect(await store.storedBytes('raised/a')).toBe(3 * bytes.length);
          const [block] = await liveBlocks(store, 'raised/a', 3);
          expect(new Set(block.locations).size).toBe(3);
          expectSameBytes(await store.read('raised/a', 0, bytes.length), bytes);
        });

        behaves('takes no copy away', async () => {
          const raise = raiseRedundancy();
          await writeBytes('raised/b', sampleBytes(1000, 49), thrice);
          await raise('raised/b', copies(1));
          await raise('raised/b', copies(3));
          expect(await store.storedBytes('raised/b')).toBe(3000);
        });

        behaves('is refused for what is no file and for what cannot be', async () => {
          const raise = raiseRedundancy();
          await writeBytes('raised/folder/c', sampleBytes(10, 49));
          const signal = AbortSignal.abort();
          const c = 'raised/folder/c';
          expect(await codeOf(() => raise('raised/nothing', copies(2)))).toBe('not-found');
          expect(await codeOf(() => raise('raised/folder', copies(2)))).toBe('not-found');
          expect(await codeOf(() => raise('../a', copies(2)))).toBe('usage');
          expect(await codeOf(() => raise(c, copies(0)))).toBe('usage');
          expect(await codeOf(() => raise(c, reedSolomon(6, 3)))).toBe('unsupported');
          expect(await codeOf(() => raise(c, copies(2), { signal }))).toBe('cancelled');
          expect(await store.storedBytes(c)).toBe(10);
        });
      });
    }

    describe('stat and list', () => {
      behaves('tell kind, size and time', async () => {
        await writeBytes('stat/folder/a', sampleBytes(1234, 50));
        const file = await store.stat('stat/folder/a');
        expect(file).toMatchObject({ name: 'stat/folder/a', kind: 'file', sizeBytes: 1234 });
        expect(Math.abs((file?.modifiedMs ?? 0) - Date.now())).toBeLessThan(600_000);
        const folder = await store.stat('stat/folder');
        expect(folder).toMatchObject({ name: 'stat/folder', kind: 'folder', sizeBytes: 0 });
        expect(await store.stat('stat/nothing')).toBeUndefined();
        expect(await store.stat('stat/no/such/folder')).toBeUndefined();
        expect(await store.stat('stat/folder/a/below-a-file')).toBeUndefined();
      });

      behaves('show what lies directly below a folder, by name', async () => {
        for (const file of ['b', 'a.d', 'B', 'a/deep/er', 'a-c', '10', '9', '_x', '.y']) {
          await writeBytes(`list/${file}`, sampleBytes(file.length, 51));
        }
        expect(
          (await store.list('list')).map(({ name, kind, sizeBytes }) => [name, kind, sizeBytes]),
        ).toEqual([
          ['list/.y', 'file', 2],
          ['list/10', 'file', 2],
          ['list/9', 'file', 1],
          ['list/B', 'file', 1],
          ['list/_x', 'file', 2],
          ['list/a', 'folder', 0],
          ['list/a-c', 'file', 3],
          ['list/a.d', 'file', 3],
          ['list/b', 'file', 1],
        ]);
        expect((await store.list('')).map((file) => [file.name, file.kind])).toContainEqual([
          'list',
          'folder',
        ]);
        expect(await store.list('list/nothing')).toEqual([]);
      });
    });

    describe('rename', () => {
      behaves('moves a file, and the bytes with it', async () => {
        const bytes = sampleBytes(70_000, 60);
        await writeBytes('rename/from', bytes, thrice);
        await store.rename('rename/from', 'rename/to');
        expect(await store.stat('rename/from')).toBeUndefined();
        expectSameBytes(await store.read('rename/to', 0, bytes.length), bytes);
        expect((await store.list('rename')).map((file) => file.name)).toEqual(['rename/to']);
      });

      behaves('makes the parent folders of the new name', async () => {
        await writeBytes('rename-deep/from', sampleBytes(10, 61));
        await store.rename('rename-deep/from', 'rename-deep/new/folder/to');
        expect((await store.stat('rename-deep/new/folder/to'))?.sizeBytes).toBe(10);
      });

      behaves('never overwrites', async () => {
        const from = sampleBytes(100, 62);
        const to = sampleBytes(200, 63);
        await writeBytes('rename-taken/from', from);
        await writeBytes('rename-taken/to', to);
        await writeBytes('rename-taken/folder/a', to);
        for (const target of ['rename-taken/to', 'rename-taken/folder']) {
          expect(await codeOf(() => store.rename('rename-taken/from', target))).toBe(
            'already-exists',
          );
        }
        expectSameBytes(await store.read('rename-taken/from', 0, 100), from);
        expectSameBytes(await store.read('rename-taken/to', 0, 200), to);
        expectSameBytes(await store.read('rename-taken/folder/a', 0, 200), to);
      });

      behaves('says not-found when there is nothing to rename', async () => {
        const act = () => store.rename('rename-missing/from', 'rename-missing/to');
        expect(await codeOf(act)).toBe('not-found');
        expect(await store.stat('rename-missing/to')).toBeUndefined();
      });

      behaves('to one name from several has one winner', async () => {
        const froms = [0, 1, 2].map((index) => `rename-race/from-${index}`);
        for (const [index, from] of froms.entries()) {
          await writeBytes(from, sampleBytes(100, 64 + index));
        }
        const outcomes = await Promise.all(
          froms.map((from) => codeOf(() => store.rename(from, 'rename-race/to'))),
        );
        expect([...outcomes].sort()).toEqual(['already-exists', 'already-exists', 'no error']);
        const winnerIndex = outcomes.indexOf('no error');
        expectSameBytes(
          await store.read('rename-race/to', 0, 100),
          sampleBytes(100, 64 + winnerIndex),
        );
        expect(await store.list('rename-race')).toHaveLength(3);
      });

      behaves('shows a reader one name at least at every moment', async () => {
        await writeBytes('rename-seen/0', sampleBytes(100, 67));
        const progress = { isDone: false };
        const renames = (async () => {
          for (let index = 0; index < 10; index++) {
            await store.rename(`rename-seen/${index}`, `rename-seen/${index + 1}`);
          }
          progress.isDone = true;
        })();
        // Awaited below; without this a failure while a list is under way would count as unhandled.
        renames.catch(() => {
          progress.isDone = true;
        });
        do {
          expect((await store.list('rename-seen')).length).toBeGreaterThan(0);
        } while (!progress.isDone);
        await renames;
        expect((await store.list('rename-seen')).map((file) => file.name)).toEqual([
          'rename-seen/10',
        ]);
      });
    });

    describe('remove', () => {
      behaves('takes a file away and does not mind when it is gone', async () => {
        await writeBytes('remove/a', sampleBytes(10, 70));
        await store.remove('remove/a');
        await store.remove('remove/a');
        await store.remove('remove/no/such/folder');
        await expectNothingAt('remove/a', 'remove');
        expect(await codeOf(() => store.read('remove/a', 0, 1))).toBe('not-found');
      });

      behaves('takes a folder away with all below it and nothing beside it', async () => {
        await writeBytes('remove-folder/x/a', sampleBytes(10, 71));
        await writeBytes('remove-folder/x/y/b', sampleBytes(10, 72));
        await writeBytes('remove-folder/xy', sampleBytes(10, 73));
        await store.remove('remove-folder/x');
        expect(await store.stat('remove-folder/x')).toBeUndefined();
        expect(await store.stat('remove-folder/x/y/b')).toBeUndefined();
        expect((await store.list('remove-folder')).map((file) => file.name)).toEqual([
          'remove-folder/xy',
        ]);
      });
    });

    describe('remove of one kind only', () => {
      behaves('takes a file, or a folder that is empty', async () => {
        await writeBytes('remove-only/folder/a', sampleBytes(10, 74));
        await store.remove('remove-only/folder/a', { only: 'file' });
        await store.remove('remove-only/folder', { only: 'empty-folder' });
        await store.remove('remove-only/folder', { only: 'empty-folder' });
        await store.remove('remove-only/folder/a', { only: 'file' });
        expect(await store.list('remove-only')).toEqual([]);
      });

      behaves('leaves the other kind, and a folder with something in it', async () => {
        await writeBytes('remove-other/folder/a', sampleBytes(10, 75));
        const folder = 'remove-other/folder';
        expect(await codeOf(() => store.remove(folder, { only: 'file' }))).toBe('usage');
        expect(await codeOf(() => store.remove(folder, { only: 'empty-folder' }))).toBe(
          'already-exists',
        );
        expect(await codeOf(() => store.remove(`${folder}/a`, { only: 'empty-folder' }))).toBe(
          'usage',
        );
        expect((await store.list(folder)).map((file) => file.name)).toEqual([`${folder}/a`]);
      });
    });

    describe('names', () => {
      const badNames = ['..', 'a/../b', './a', '/a', 'a//b', 'a/', 'a b', 'ä', 'a\\b', 'a\0b'];
      for (const bad of badNames) {
        behaves(`like ${JSON.stringify(bad)} are refused as usage`, async () => {
          expect(await codeOf(() => writeBytes(bad, sampleBytes(1, 80)))).toBe('usage');
          expect(await codeOf(() => store.read(bad, 0, 1))).toBe('usage');
          expect(await codeOf(() => store.blocks(bad))).toBe('usage');
          expect(await codeOf(() => store.storedBytes(bad))).toBe('usage');
          expect(await codeOf(() => store.stat(bad))).toBe('usage');
          expect(await codeOf(() => store.list(bad))).toBe('usage');
          expect(await codeOf(() => store.rename(bad, 'names/to'))).toBe('usage');
          expect(await codeOf(() => store.rename('names/from', bad))).toBe('usage');
          expect(await codeOf(() => store.remove(bad))).toBe('usage');
        });
      }

      behaves('may not be empty, except for the folder to list', async () => {
        expect(await codeOf(() => writeBytes('', sampleBytes(1, 81)))).toBe('usage');
        expect(await codeOf(() => store.read('', 0, 1))).toBe('usage');
        expect(await codeOf(() => store.remove(''))).toBe('usage');
        expect(await codeOf(() => store.rename('', 'names/to'))).toBe('usage');
        expect(await codeOf(() => store.list(''))).toBe('no error');
      });
    });
  });
}
