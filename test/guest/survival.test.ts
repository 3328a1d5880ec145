// The check that other tests judge a restored guest by: a whole guest passes it, and one with a few wrong pages does not.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testInWhole } from '../slice.js';
import { dataFileContent } from './data-disk.js';
import { bootGuest, resumeGuest, type ResumeOverrides } from './guest.js';
import { openSnapshot } from './guest-snapshot.js';
import { checkSurvival, survivalSizes } from './survival.js';

const TEST_TIMEOUT_MS = 300_000;
const PAGE_SIZE_BYTES = 4096;
const DAMAGED_PAGE_COUNT = 16;

let folder: string;
let snapshotFolder: string;
let before: ReadonlyMap<string, string>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pars-survival-test-'));
  snapshotFolder = join(folder, 'snapshot');
  const guest = await bootGuest({ ...survivalSizes.database, workload: 'database' });
  try {
    before = await guest.checksums();
    await guest.snapshot(snapshotFolder);
  } finally {
    await guest.close();
  }
}, TEST_TIMEOUT_MS);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function survivalOfCopy(overrides: ResumeOverrides = {}): Promise<readonly string[]> {
  const guest = await resumeGuest(openSnapshot(snapshotFolder), overrides);
  try {
    return await checkSurvival(guest, before);
  } finally {
    await guest.close();
  }
}

testInWhole(
  'an untouched copy of a guest whose database is being written to survives',
  async () => {
    expect(await survivalOfCopy()).toEqual([]);
  },
  TEST_TIMEOUT_MS,
);

testInWhole(
  'a copy with wrong pages of one cached file is found out, and the file is named',
  async () => {
    const ram = readFileSync(openSnapshot(snapshotFolder).ramPath);
    const wanted = dataFileContent('large-1', DAMAGED_PAGE_COUNT * PAGE_SIZE_BYTES);
    let damagedCount = 0;
    for (let offset = 0; offset < wanted.length; offset += PAGE_SIZE_BYTES) {
      const at = offsetOfPage(ram, wanted.subarray(offset, offset + PAGE_SIZE_BYTES));
      if (at === undefined) {
        continue;
      }
      dataFileContent('damage', PAGE_SIZE_BYTES).copy(ram, at);
      damagedCount++;
    }
    expect(damagedCount).toBe(DAMAGED_PAGE_COUNT);
    const ramPath = join(folder, 'damaged-ram');
    writeFileSync(ramPath, ram);

    // Once the caches are dropped the file is read from the disk again, and right.
    expect(await survivalOfCopy({ ramPath })).toEqual([
      expect.stringMatching(
        /^after the resume: files\/large-1: expected checksum \w{32}, found checksum \w{32}$/,
      ),
    ]);
  },
  TEST_TIMEOUT_MS,
);

function offsetOfPage(ram: Buffer, page: Buffer): number | undefined {
  for (let at = ram.indexOf(page); at !== -1; at = ram.indexOf(page, at + 1)) {
    if (at % PAGE_SIZE_BYTES === 0) {
      return at;
    }
  }
  return undefined;
}
