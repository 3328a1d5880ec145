// The 64-bit page mask of a frame, as two unsigned 32-bit halves: BigInt would cost an allocation per frame.

const maskBitCount = 64;

/** Number of set bits in 32. */
export function popcount32(bits: number): number {
  let sum = bits - ((bits >>> 1) & 0x55555555);
  sum = (sum & 0x33333333) + ((sum >>> 2) & 0x33333333);
  return Math.imul((sum + (sum >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Pages a mask names, 0..64. */
export function maskPageCount(maskLow: number, maskHigh: number): number {
  return popcount32(maskLow) + popcount32(maskHigh);
}

/** Whether bit `bit` (0..63) is set. */
export function maskHas(maskLow: number, maskHigh: number, bit: number): boolean {
  return (((bit < 32 ? maskLow : maskHigh) >>> (bit & 31)) & 1) === 1;
}

/** Calls `take` for each run of set bits, ascending: its first bit, and how many they are. */
export function forEachRun(
  maskLow: number,
  maskHigh: number,
  take: (firstBit: number, bitCount: number) => void,
): void {
  let bit = 0;
  while (bit < maskBitCount) {
    if (!maskHas(maskLow, maskHigh, bit)) {
      bit++;
      continue;
    }
    const first = bit;
    while (bit < maskBitCount && maskHas(maskLow, maskHigh, bit)) {
      bit++;
    }
    take(first, bit - first);
  }
}

/** Set bits below `bit` (0..63): the place of that page among the frame's pages. */
export function maskRank(maskLow: number, maskHigh: number, bit: number): number {
  const below = 2 ** (bit & 31) - 1;
  return bit < 32
    ? popcount32(maskLow & below)
    : popcount32(maskLow) + popcount32(maskHigh & below);
}

/** The lowest `bitCount` (0..32) bits set, unsigned. */
export function lowBits(bitCount: number): number {
  return bitCount === 32 ? 0xffffffff : 2 ** bitCount - 1;
}
