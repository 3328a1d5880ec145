// The codec `auto` in pipelines by calculation: machines and stores of many speeds, pages of many kinds.
import * as fc from 'fast-check';
import { spreadOf } from '../../../bench/samples.js';
import { AutoCodec } from '../../../src/pack/codec/auto-codec.js';
import type { FrameMethod } from '../../../src/pack/codec/codec-choice.js';
import {
  bestMix,
  type CodecRate,
  packSecondsOf,
  storedBytesOf,
} from '../../../src/pack/codec/codec-mix.js';
import { type Chooser, type Packing, type Pipeline, runBytes, simulate } from './pipeline.js';

const mib = 2 ** 20;
const levels = [1, 3, 9] as const;
const worldCount = 100;
const seed = 15;

/** What lz4 leaves of a byte, and each level of that. */
interface Kind {
  readonly lz4Size: number;
  readonly sizeFactors: readonly number[];
}

interface Machine {
  readonly threadCount: number;
  readonly lz4BytesPerSecond: number;
  /** What each level takes beside lz4. */
  readonly timeFactors: readonly number[];
}

interface World {
  readonly kind: Kind;
  readonly machine: Machine;
  readonly storeBytesPerSecond: number;
}

const between = (min: number, max: number) => fc.double({ min, max, noNaN: true });

/** The first level saves most of what the last one does. */
const kinds: fc.Arbitrary<Kind> = fc
  .tuple(between(0.02, 1), between(0, 0.4), between(0.6, 0.9), between(0, 1))
  .map(([lz4Size, saved, first, second]) => ({
    lz4Size,
    sizeFactors: [1 - saved * first, 1 - saved * (first + (1 - first) * second), 1 - saved],
  }));
const machines: fc.Arbitrary<Machine> = fc
  .tuple(
    fc.integer({ min: 1, max: 4 }),
    between(50 * mib, 2000 * mib),
    between(0.3, 2),
    between(1.1, 2),
    between(1.5, 5),
  )
  .map(([threadCount, lz4BytesPerSecond, first, second, third]) => ({
    threadCount,
    lz4BytesPerSecond,
    timeFactors: [first, first * second, first * second * third],
  }));
const worlds: fc.Arbitrary<World> = fc.record({
  kind: kinds,
  machine: machines,
  // From a slow line to a store that takes all at once.
  storeBytesPerSecond: between(0, 4).map((power) => mib * 10 ** power),
});

function packingOf(kind: Kind, machine: Machine, method: FrameMethod): Packing {
  const lz4Seconds = runBytes / machine.lz4BytesPerSecond;
  if (method === 'lz4') {
    return { seconds: lz4Seconds, storedBytes: runBytes * kind.lz4Size };
  }
  const index = levels.findIndex((level) => method === `zstd:${level}`);
  return {
    seconds: lz4Seconds * machine.timeFactors[index],
    storedBytes: runBytes * kind.lz4Size * kind.sizeFactors[index],
  };
}

function pipelineOf(runCount: number, worldOf: (run: number) => World): Pipeline {
  return {
    threadCount: worldOf(0).machine.threadCount,
    runCount,
    packing: (run, method) => packingOf(worldOf(run).kind, worldOf(run).machine, method),
    storeSecondsPerByte: (run) => 1 / worldOf(run).storeBytesPerSecond,
  };
}

/** What no pipeline falls short of: both sides always busy. */
function leastSeconds(runCount: number, { kind, machine, storeBytesPerSecond }: World): number {
  const lz4 = packingOf(kind, machine, 'lz4');
  const rates = [
    lz4,
    ...levels.map((level): Packing => {
      const { seconds, storedBytes } = packingOf(kind, machine, `zstd:${level}`);
      return { seconds: lz4.seconds + seconds, storedBytes };
    }),
  ].map(({ seconds, storedBytes }): CodecRate => ({
    packSeconds: seconds / machine.threadCount,
    storedBytes,
  }));
  const mix = bestMix(rates, 1 / storeBytesPerSecond);
  return (
    runCount * Math.max(packSecondsOf(mix, rates), storedBytesOf(mix, rates) / storeBytesPerSecond)
  );
}

function auto({ machine }: World): Chooser {
  const codec = new AutoCodec(machine.threadCount);
  return {
    next: () => codec.next(),
    packed: (run) => {
      codec.packed(run);
    },
    taken: (bytes, seconds) => {
      codec.taken(bytes, seconds);
    },
  };
}

const always = (...methods: FrameMethod[]): Chooser => ({ next: () => methods });

test('neither threads nor store stand idle, whatever their speeds', () => {
  const runCount = 600;
  const excesses = fc.sample(worlds, { numRuns: worldCount, seed }).map((world) => {
    const { seconds } = simulate(
      pipelineOf(runCount, () => world),
      auto(world),
    );
    return seconds / leastSeconds(runCount, world);
  });
  excesses.sort((a, b) => a - b);
  expect(spreadOf(excesses).median).toBeLessThan(1.01);
  expect(excesses[Math.floor(worldCount * 0.95)]).toBeLessThan(1.05);
  expect(excesses[worldCount - 1]).toBeLessThan(1.5);
});

test('it never stores more than lz4 does', () => {
  fc.assert(
    fc.property(worlds, worlds, (first, second) => {
      const runCount = 200;
      const pipeline = pipelineOf(runCount, (run) => (run < runCount / 2 ? first : second));
      const lz4 = simulate(pipeline, always('lz4'));
      expect(simulate(pipeline, auto(first)).storedBytes).toBeLessThanOrEqual(lz4.storedBytes);
    }),
    { numRuns: 50, seed },
  );
});

const usual: World = {
  kind: { lz4Size: 0.5, sizeFactors: [0.78, 0.75, 0.72] },
  machine: { threadCount: 2, lz4BytesPerSecond: 400 * mib, timeFactors: [0.8, 1.2, 5] },
  storeBytesPerSecond: 100 * mib,
};
const withStore = (mibPerSecond: number): World => ({
  ...usual,
  storeBytesPerSecond: mibPerSecond * mib,
});
/** The methods of the last half of the runs of each world in turn, 200 runs of each. */
function settled(...turns: World[]): readonly (readonly string[])[] {
  const perTurn = 200;
  const { chosen } = simulate(
    pipelineOf(turns.length * perTurn, (run) => turns[Math.floor(run / perTurn)]),
    auto(turns[0]),
  );
  return turns.map((_, turn) =>
    [
      ...new Set(
        chosen.slice((turn + 0.5) * perTurn, (turn + 1) * perTurn).map((each) => each.join('+')),
      ),
    ].sort(),
  );
}

test('a store that takes all at once gets lz4, a slow one the most that zstd can do', () => {
  expect(settled(withStore(10_000))).toEqual([['lz4']]);
  expect(settled(withStore(5))).toEqual([['lz4+zstd:9']]);
});

test('in between it is what keeps both busy', () => {
  // 800 MiB of pages a second by lz4 would be 400 to send, 364 by level 3 are 136.
  expect(settled(withStore(300))).toEqual([['lz4', 'lz4+zstd:1']]);
  expect(settled(withStore(100))).toEqual([['lz4+zstd:3', 'lz4+zstd:9']]);
});

test('a store that becomes slower or faster is followed, and so are pages of another kind', () => {
  expect(settled(withStore(10_000), withStore(5), withStore(10_000))).toEqual([
    ['lz4'],
    ['lz4+zstd:9'],
    ['lz4'],
  ]);
  const noise: World = { ...usual, kind: { lz4Size: 1, sizeFactors: [1, 1, 1] } };
  const [, , after] = settled(withStore(5), noise, withStore(5));
  expect(after).toEqual(['lz4+zstd:9']);
});

test('before anything was sent it is lz4, so that the store has something to take', () => {
  expect(new AutoCodec(2).next()).toEqual(['lz4']);
});

/**
 * The part of lz4 alone in the last of 400 runs of 1 MiB, of which lz4 makes half: two threads and a store of 100 MiB/s on two processors,
 * of which a stored byte takes so much more than packing.
 */
function lz4PartWhere(processorBytesPerSecond: number): number {
  let busySeconds = 0;
  const codec = new AutoCodec(2, 2, () => busySeconds);
  const chosen: string[] = [];
  for (let run = 0; run < 400; run++) {
    const methods = codec.next();
    chosen.push(methods.join('+'));
    const isZstd = methods.length === 2;
    const lz4Bytes = 0.5 * mib;
    const storedBytes = isZstd ? 0.39 * mib : lz4Bytes;
    const zstdSeconds = isZstd ? 0.004 : 0;
    const seconds = 0.001 + zstdSeconds;
    codec.packed({ methods, pagesBytes: mib, storedBytes, lz4Bytes, seconds, zstdSeconds });
    const processorSeconds = (seconds + storedBytes / processorBytesPerSecond) / 2;
    busySeconds += processorSeconds;
    codec.taken(storedBytes, Math.max(storedBytes / (100 * mib), processorSeconds));
  }
  return chosen.slice(200).filter((each) => each === 'lz4').length / 200;
}

test('a slow store gets zstd while processors are idle, and lz4 where sending keeps them busy', () => {
  expect(lz4PartWhere(1000 * mib)).toBe(0);
  // Now and then zstd is tried anew.
  expect(lz4PartWhere(50 * mib)).toBeGreaterThan(0.9);
});
