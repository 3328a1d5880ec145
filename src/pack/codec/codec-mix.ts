// Which codecs leave neither the threads nor the store waiting for the other. Pure.
//
// Pages are packed while those before are sent, so that a run takes the longer of its two times. A light codec packs soon and
// sends long, a heavy one the other way round; where one is too light and the next too heavy, runs of both in the right measure
// keep both sides busy. Two are always enough: of a third, some of the other two would take less of one time and no more of the
// other.

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

/** Times that differ by less are the same. */
const tolerance = 1e-9;

/** The mix that takes the least time; of two that take the same, the one that stores less. */
export function bestMix(rates: readonly CodecRate[], storeSecondsPerByte: number): CodecMix {
  const costed = mixesOf(rates, storeSecondsPerByte).map((mix) => ({
    mix,
    seconds: Math.max(packSecondsOf(mix, rates), storedBytesOf(mix, rates) * storeSecondsPerByte),
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

/** Each codec alone, and of each two the mix that packs as long as it sends. */
function mixesOf(rates: readonly CodecRate[], storeSecondsPerByte: number): readonly CodecMix[] {
  /** How much longer it packs than it sends. */
  const excess = rates.map(
    ({ packSeconds, storedBytes }) => packSeconds - storedBytes * storeSecondsPerByte,
  );
  return rates.flatMap((_, first) => [
    { first, second: first, secondFraction: 0 },
    ...rates.flatMap((__, second) =>
      excess[first] < 0 && excess[second] > 0
        ? [{ first, second, secondFraction: excess[first] / (excess[first] - excess[second]) }]
        : [],
    ),
  ]);
}

export function packSecondsOf(mix: CodecMix, rates: readonly CodecRate[]): number {
  return mixed(mix, rates[mix.first].packSeconds, rates[mix.second].packSeconds);
}

export function storedBytesOf(mix: CodecMix, rates: readonly CodecRate[]): number {
  return mixed(mix, rates[mix.first].storedBytes, rates[mix.second].storedBytes);
}

function mixed({ secondFraction }: CodecMix, first: number, second: number): number {
  return first * (1 - secondFraction) + second * secondFraction;
}
