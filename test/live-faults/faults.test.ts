// A slice of the faults (run.ts): one guest that runs while it is saved, one case of each fault that needs no HDFS.
import { canMount } from '../e2e/tiny-disk.js';
import { randomNumbers } from '../e2e/random-numbers.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../e2e/temporary-folder.js';
import { type FaultKind, faultKinds } from './kinds.js';
import { Guests, runCase } from './run-case.js';

const setUpTimeoutMs = 300_000;
const testTimeoutMs = 180_000;

const { seed } = randomNumbers('live-faults');
const guests = new Guests();
let folder: TemporaryFolder;

/** Which case of each: the moments differ. The fault that ends the VM takes a guest of its own, and is left to the run. */
const slice = {
  'upload killed': 1,
  'hook killed': 0,
  'upload and guard killed': 0,
  'hook and guard killed': 1,
  interrupted: 0,
  'scratch full': 0,
  'connection cut': 1,
  'socket gone': 0,
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

test.each(cases)(
  'a VM and the store come to no harm: %s',
  async (kind, index) => {
    const options = { seed, resumes: kind === 'upload and guard killed' };
    const outcome = await runCase(kind, index, folder.path, guests, options);
    expect({ what: faultKinds[kind], ...outcome }).toMatchObject({ wrong: [] });
  },
  testTimeoutMs,
);
