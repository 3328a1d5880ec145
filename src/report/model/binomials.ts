// Ways to choose, as logarithms: a cluster of 10,000 nodes has more choices of 100 than a double can count.

/** ln C(n, k); -Infinity where nothing can be chosen. */
export function logBinomial(n: number, k: number): number {
  if (k < 0 || k > n) {
    return -Infinity;
  }
  const chosen = Math.min(k, n - k);
  let sum = 0;
  for (let i = 1; i <= chosen; i++) {
    sum += Math.log((n - chosen + i) / i);
  }
  return sum;
}

/** The probability that of `drawn` out of `all` exactly `hit` are among the `marked` ones (hypergeometric). */
export function drawProbability(all: number, marked: number, drawn: number, hit: number): number {
  return Math.exp(
    logBinomial(marked, hit) + logBinomial(all - marked, drawn - hit) - logBinomial(all, drawn),
  );
}
