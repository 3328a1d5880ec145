// Which codecs leave neither the threads nor the store waiting for the other. Pure.
//
// Pages are packed while those before are sent, so that a run takes the longer of its two times. A light codec packs soon and
// sends long, a heavy one the other way round; where one is too light and the next too heavy, runs of both in the right measure
// keep both sides busy. Two are always enough for that: of a third, some of the other two would take less of one time and no more
// of the other.
//
// The processors are a third side: what packs on them keeps them from sending, and from what the store itself does where it is on
// this machine. Where they are busy all the time already, a codec that takes more of them takes longer, however idle the threads.

/** What a codec makes of one byte of pages. */
export interface CodecRate {
  /** For all threads together: half where two pack at once. */
  readonly packSeconds: number;
  readonly storedBytes: number;
}

/** Indexes of two codecs, which may be the same, and the part of the runs that goes to the second. */
export interface CodecMix {
  readonly first: number;
  readonly second: number;
  readonly secondFraction: number;
}

/** What the processors do beside packing. */
export interface ProcessorLoad {
  /** The part of all processors that packs while all threads pack: 0.5 where two of four do. */
  readonly packingShare: number;
  /** Time of all processors together that goes with a stored byte: sending it, and what else this machine does meanwhile. */
  readonly secondsPerStoredByte: number;
}

const noOtherLoad: ProcessorLoad = { packingShare: 0, secondsPerStoredByte: 0 };

/** Times that differ by less are the same. */
const tolerance = 1e-9;

/** The mix that takes the least time; of two that take the same, the one that stores less. */
export function bestMix(
  rates: readonly CodecRate[],
  storeSecondsPerByte: number,
  load: ProcessorLoad = noOtherLoad,
): CodecMix {
  const times = rates.map((rate) => timesOf(rate, storeSecondsPerByte, load));
  const costed = mixesOf(times).map((mix) => ({
    mix,
    seconds: Math.max(
      ...times[mix.first].map((time, kind) => mixed(mix, time, times[mix.second][kind])),
    ),
    storedBytes: storedBytesOf(mix, rates),
  }));
  return costed.reduce((best, next) => {
    const larger = Math.max(best.seconds, next.seconds);
    const isSame = Math.abs(best.seconds - next.seconds) <= larger * tolerance;
    return (isSame ? next.storedBytes < best.storedBytes : next.seconds < best.seconds)
      ? next
      : best;
  }).mix;
}

/** What a byte of pages takes of the threads, of the store, and of the processors: the longest is how long it takes. */
function timesOf(
  { packSeconds, storedBytes }: CodecRate,
  storeSecondsPerByte: number,
  { packingShare, secondsPerStoredByte }: ProcessorLoad,
): readonly number[] {
  return [
    packSeconds,
    storedBytes * storeSecondsPerByte,
    packSeconds * packingShare + storedBytes * secondsPerStoredByte,
  ];
}

/** Each codec alone, and of each two the mixes in which two of the times are as long. */
function mixesOf(times: readonly (readonly number[])[]): readonly CodecMix[] {
  const mixes: CodecMix[] = [];
  for (let first = 0; first < times.length; first++) {
    mixes.push({ first, second: first, secondFraction: 0 });
    for (let second = 0; second < times.length; second++) {
      for (const [one, other] of pairsOfTimes) {
        const excessOfFirst = times[first][one] - times[first][other];
        const excessOfSecond = times[second][one] - times[second][other];
        if (excessOfFirst < 0 && excessOfSecond > 0) {
          const secondFraction = excessOfFirst / (excessOfFirst - excessOfSecond);
          mixes.push({ first, second, secondFraction });
        }
      }
    }
  }
  return mixes;
}

/** By index among the times. Each pair of codecs comes in both orders. */
const pairsOfTimes = [
  [0, 1],
  [0, 2],
  [2, 1],
] as const;

export function packSecondsOf(mix: CodecMix, rates: readonly CodecRate[]): number {
  return mixed(mix, rates[mix.first].packSeconds, rates[mix.second].packSeconds);
}

export function storedBytesOf(mix: CodecMix, rates: readonly CodecRate[]): number {
  return mixed(mix, rates[mix.first].storedBytes, rates[mix.second].storedBytes);
}

function mixed({ secondFraction }: CodecMix, first: number, second: number): number {
  return first * (1 - secondFraction) + second * secondFraction;
}
