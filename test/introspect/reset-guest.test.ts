// A real guest that is reset: the kernel that ran lies whole in RAM while firmware runs and the next one starts. With the
// device state of those moments nothing of the dead kernel is believed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { classify } from '../../introspect/label/classify.js';
import { findKernel } from '../../introspect/label/find-kernel.js';
import type { PageMap } from '../../introspect/label/page-map.js';
import { readCpuStates } from '../../introspect/memory/device-state.js';
import { openRawFile } from '../../introspect/memory/formats/raw-file.js';
import { pageClasses } from '../../introspect/page-class.js';
import { saveMoment } from '../forged/dead-kernels.js';
import { bootGuest, type Guest } from '../guest/guest.js';

const bootTimeoutMs = 300_000;
/** Since the moment before. No kernel is up again so soon. */
const waitsMs = [100, 150, 100];
let folder: string;
let guest: Guest;
let before: PageMap;
const after: PageMap[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pars-reset-'));
  guest = await bootGuest({
    ramSizeMib: 256,
    vcpuCount: 2,
    anonymousSizeMib: 4,
    tmpfsSizeMib: 4,
    disk: { contentSizeMib: 8 },
  });
  await guest.qmp('set-action', { reboot: 'reset' });
  before = await labelsNow('before');
  await guest.qmp('system_reset');
  for (const [index, waitMs] of waitsMs.entries()) {
    await sleep(waitMs);
    after.push(await labelsNow(`after-${index}`));
  }
}, bootTimeoutMs);

afterAll(async () => {
  await guest.close();
  rmSync(folder, { recursive: true });
});

async function labelsNow(name: string): Promise<PageMap> {
  const path = join(folder, name);
  await saveMoment(guest, path);
  const image = openRawFile(`${path}.ram`);
  try {
    return classify(findKernel({ ...image, cpus: readCpuStates(`${path}.state`) }));
  } finally {
    image.close();
  }
}

const expendableCount = ({ labels }: PageMap): number =>
  labels.reduce((sum, label) => sum + (pageClasses[label].expendable ? 1 : 0), 0);

test('while the guest runs, its kernel is proven by both CPUs', () => {
  expect(before.evidence).toEqual({ kind: 'complete' });
  expect(before.kernelProof).toEqual({ proven: true, cpuCount: 2 });
  expect(expendableCount(before)).toBeGreaterThan(1000);
});

test.each(waitsMs.map((_, index) => index))(
  'right after the reset no page is given up on the word of the dead kernel (moment %d)',
  (index) => {
    expect(after[index].evidence.kind).toBe('no-kernel');
    expect(expendableCount(after[index])).toBe(0);
  },
);
