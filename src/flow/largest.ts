// The largest and the smallest of many numbers. `Math.max(...numbers)` passes each as an argument, and ends with an error of
// the stack from some 120,000 on; how many there are is often said by somebody else.

/** `-Infinity` when there is none. */
export function largestOf(numbers: Iterable<number>): number {
  let largest = -Infinity;
  for (const number of numbers) {
    largest = Math.max(largest, number);
  }
  return largest;
}

/** `Infinity` when there is none. */
export function smallestOf(numbers: Iterable<number>): number {
  let smallest = Infinity;
  for (const number of numbers) {
    smallest = Math.min(smallest, number);
  }
  return smallest;
}
