// A slice of `npm run test:forged`: some forgeries of each kind, in the RAM of real guests. None is taken in.
import { timesOf } from '../slice.js';
import { baseGuest, baseNames } from './bases.js';
import { forgeryKinds } from './forgeries.js';
import { wrongVerdicts } from './judge.js';
import { KnownKernel } from './known-kernel.js';
import { type CaseOutcome, runCase } from './run-case.js';

const bootTimeoutMs = 300_000;
const casesPerKind = timesOf({ slice: 4, whole: 12 });
const seed = 20;
let kernels: readonly KnownKernel[] = [];

beforeAll(async () => {
  const known: KnownKernel[] = [];
  for (const name of baseNames) {
    known.push(new KnownKernel(await baseGuest(name)));
  }
  kernels = known;
}, bootTimeoutMs);

test.each(forgeryKinds.map(({ name, by }) => [name, by]))(
  'forged evidence (%s, by %s) costs no page of the running kernel',
  (name) => {
    const outcomes = Array.from({ length: casesPerKind }, (_, number) =>
      runCase(kernels, seed, number, name),
    );
    const wrong = outcomes.filter(({ verdict }) => wrongVerdicts.includes(verdict));
    expect(wrong.map(said)).toEqual([]);
  },
);

test('a case is made again by its number, and leaves the RAM as it was', () => {
  const before = kernels.map(({ ram }) => Buffer.from(ram.bytes));
  const first = runCase(kernels, seed, 7);
  expect(runCase(kernels, seed, 7)).toEqual(first);
  kernels.forEach(({ ram }, index) => {
    expect(ram.bytes.equals(before[index])).toBe(true);
  });
});

function said({ number, base, verdict, detail, recipe }: CaseOutcome): string {
  return `case ${number} of seed ${seed} on ${base}: ${verdict}: ${detail}; made by ${recipe}`;
}
