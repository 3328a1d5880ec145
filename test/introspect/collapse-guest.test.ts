// A real kernel that is stopped while it puts a huge page of a file together: its counters hold both that page and those that it
// replaces, and the labels are complete all the same.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { classify } from '../../introspect/label/classify.js';
import { findKernel } from '../../introspect/label/find-kernel.js';
import { readCpuStates } from '../../introspect/memory/device-state.js';
import { openRawFile } from '../../introspect/memory/formats/raw-file.js';
import { endPfn } from '../../introspect/memory/physical-memory.js';
import { findCollapses, hugePageCount } from '../../introspect/mm/cache/collapses.js';
import { openMemmap } from '../../introspect/mm/memmap.js';
import { pageClasses } from '../../introspect/page-class.js';
import { saveMoment } from '../forged/dead-kernels.js';
import { archiveFolder, makeArchiveDisk, unpackArchive } from '../guest/archive-disk.js';
import { GdbStub } from '../guest/gdb-stub.js';
import { bootGuest, type Guest } from '../guest/guest.js';
import { compiledSource } from '../guest/guest-program.js';
import { testedSeries } from '../setup/kernel.mjs';

const bootTimeoutMs = 300_000;
const stepTimeoutMs = 60_000;
const source = fileURLToPath(new URL('collapse.c', import.meta.url));

let folder: string;
let gdbPath: string;
let guest: Guest;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pars-collapse-'));
  gdbPath = join(folder, 'gdb');
  const disk = makeArchiveDisk(join(folder, 'disk'), {
    collapse: { path: compiledSource(source) },
  });
  guest = await bootGuest({
    // Of the kernels that the tests boot, the one that puts pages of files on disks together.
    kernelRelease: testedSeries.newest,
    ramSizeMib: 384,
    anonymousSizeMib: 4,
    tmpfsSizeMib: 4,
    disk: { contentSizeMib: 24 },
    qemuArguments: [...disk, '-gdb', `unix:${gdbPath},server=on,wait=off`],
  });
  await guest.command(unpackArchive);
}, bootTimeoutMs);

afterAll(async () => {
  await (guest as Guest | undefined)?.close();
  rmSync(folder, { recursive: true });
});

/** RAM and CPUs when the kernel, amid it all, comes to the function: as `path.ram` and `path.state`. */
async function stopAt(functionName: string, offsetMib: number, path: string): Promise<void> {
  const symbol = await guest.command(`grep -w -m 1 ${functionName} /proc/kallsyms`);
  const stub = await GdbStub.connect(gdbPath);
  const collapsed = guest.command(`${archiveFolder}/collapse /data/files/large-0 ${offsetMib}`);
  collapsed.catch(() => undefined);
  try {
    await stub.runTo(BigInt(`0x${symbol.slice(0, 16)}`), stepTimeoutMs);
    await saveMoment(guest, path);
  } finally {
    stub.close();
  }
  expect(await collapsed).toMatch(/^collapsed/);
}

test.each([
  // The pages that are replaced are unmapped; they are copied next.
  ['try_to_unmap_flush', false],
  // The huge page is in the file and on a list; those that it replaced are let go of next.
  ['retract_page_tables', true],
] as const)(
  'stopped at %s, the evidence is complete, and no page of either is given up',
  async (functionName, isInFile) => {
    const path = join(folder, functionName);
    await stopAt(functionName, isInFile ? 2 : 0, path);
    const image = openRawFile(`${path}.ram`);
    try {
      const found = findKernel({ ...image, cpus: readCpuStates(`${path}.state`) });
      if (!found.found) {
        throw new Error(found.reason);
      }
      const { labels, evidence } = classify(found);
      expect(evidence).toEqual({ kind: 'complete' });
      const memmap = openMemmap(found.kernel, endPfn(found.memory.regions));
      const collapses = findCollapses(found.kernel, memmap, labels);
      expect(collapses).toMatchObject([{ isListed: isInFile, mayBeInFile: isInFile }]);
      const [{ hugePfn, replacedCounts }] = collapses;
      expect([...replacedCounts.values()].reduce((sum, count) => sum + count, 0)).toBe(
        hugePageCount,
      );
      const ofHugePage = labels.subarray(hugePfn, hugePfn + hugePageCount);
      expect(ofHugePage.some((label) => pageClasses[label].expendable)).toBe(false);
    } finally {
      image.close();
    }
  },
  2 * stepTimeoutMs,
);
