// A slice of the faults (run.ts): one guest that runs while it is saved, and one of the faults, or four.
import { randomNumbers } from '../e2e/random-numbers.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../e2e/temporary-folder.js';
import { canMount } from '../e2e/tiny-disk.js';
import { sliceOf } from '../slice.js';
import { type FaultKind, faultKinds } from './kinds.js';
import { Guests, runCase } from './run-case.js';

const setUpTimeoutMs = 300_000;
const testTimeoutMs = 180_000;

const { seed } = randomNumbers('live-faults');
const guests = new Guests();
let folder: TemporaryFolder;

/** Which case of each: the moments differ. All kinds, with the others' moments, are for the run. */
const slice = {
  'upload killed': 1,
  'connection cut': 1,
  'hook and guard killed': 1,
  'scratch full': 0,
} satisfies Partial<Record<FaultKind, number>>;

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  await guests.get('background');
}, setUpTimeoutMs);

afterAll(async () => {
  await guests.close();
  await folder.remove();
});

const cases = (Object.entries(slice) as [keyof typeof slice, number][]).filter(
  ([kind]) => kind !== 'scratch full' || canMount,
);

test.each(sliceOf(cases, 1))(
  'a VM and the store come to no harm: %s',
  async (kind, index) => {
    const options = { seed, resumes: kind === 'upload killed' };
    const outcome = await runCase(kind, index, folder.path, guests, options);
    expect({ what: faultKinds[kind], ...outcome }).toMatchObject({ wrong: [] });
  },
  testTimeoutMs,
);
