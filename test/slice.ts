// What takes long and is much like what is tried beside it: `npm test` tries some of it, `npm run test:whole` all.
const isWhole = process.env['PARS_TEST_WHOLE'] === '1';

/** The first `count` of the cases. */
export function sliceOf<T>(cases: readonly T[], count: number): readonly T[] {
  return isWhole ? cases : cases.slice(0, count);
}

/** `test.each` of cases that `npm test` leaves out, and says so. */
export function eachInWhole<T extends readonly unknown[]>(cases: readonly T[]) {
  return (isWhole ? test : test.skip).each(cases);
}

/** How often something with chance in it is tried. */
export function timesOf(times: { readonly slice: number; readonly whole: number }): number {
  return isWhole ? times.whole : times.slice;
}

/** A test that `npm test` leaves out, and says so. */
export function testInWhole(name: string, run: () => Promise<void>, timeoutMs?: number): void {
  (isWhole ? test : test.skip)(name, run, timeoutMs);
}
