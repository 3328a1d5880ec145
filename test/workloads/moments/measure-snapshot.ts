// The figures of a stopped guest, from its RAM and its disk as they are: labels, what storing by label takes under each
// policy, and what other ways take.
import { execFile } from 'node:child_process';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { vmcoreinfoText, writeElfCore } from '../../../bench/elf-core.js';
import { findFilePlaces } from '../../../introspect/heal/file-places.js';
import { classify } from '../../../introspect/label/classify.js';
import { findKernel, type Introspected } from '../../../introspect/label/find-kernel.js';
import type { PageMap } from '../../../introspect/label/page-map.js';
import { openRawFile } from '../../../introspect/memory/formats/raw-file.js';
import type { PhysicalMemory } from '../../../introspect/memory/physical-memory.js';
import { closeGuestDisks, diskNames, openGuestDisks } from '../../../src/disk/guest-disks.js';
import { type ProvenPages, provePages } from '../../../src/disk/prove-pages.js';
import { measureImage } from '../../../src/measure/measure-image.js';
import { withDiskHeld } from '../../../src/plan/disk-held-pages.js';
import { namedPolicies, policyNames } from '../../../src/plan/policy.js';
import type { DumpResult, SnapshotFigures } from './snapshot-figures.js';

const run = promisify(execFile);

/** `dumpFolder`: for makedumpfile's files, which are removed again. */
export async function measureSnapshot(
  ramPath: string,
  diskPath: string,
  dumpFolder: string | undefined,
): Promise<SnapshotFigures> {
  const image = openRawFile(ramPath);
  try {
    const introspected = findKernel(image);
    const { memory } = introspected;
    const map = classify(introspected);
    const proven = await proveByDisk(introspected, map, diskPath);
    const policies = policyNames.map((name) => {
      const { policy, heldLabels } = namedPolicies[name];
      const seen = proven === undefined ? map : withDiskHeld(map, proven.held, heldLabels);
      return { name, policy, map: seen };
    });
    return {
      evidence: map.evidence,
      warnings: [...map.warnings, ...(proven?.warnings ?? [])],
      image: await measureImage(memory, map, policies),
      diskHeld: proven?.counts ?? [],
      ...(dumpFolder === undefined ? {} : { dump: await dump(ramPath, memory, dumpFolder) }),
    };
  } finally {
    image.close();
  }
}

async function proveByDisk(
  introspected: Introspected,
  map: PageMap,
  diskPath: string,
): Promise<ProvenPages | undefined> {
  if (!introspected.found) {
    return undefined;
  }
  const places = findFilePlaces(introspected.kernel, map.labels);
  const disks = openGuestDisks([{ name: 'vda', path: diskPath }], diskNames(places));
  try {
    return await provePages({ memory: introspected.memory, places, disks });
  } finally {
    closeGuestDisks(disks);
  }
}

/** makedumpfile knows kernels up to some release; beyond, what it says is the result. */
async function dump(ramPath: string, memory: PhysicalMemory, folder: string): Promise<DumpResult> {
  const core = join(folder, 'core');
  const dumpPath = join(folder, 'dump');
  try {
    await writeElfCore(ramPath, core, memory, vmcoreinfoText(memory));
    await run('makedumpfile', ['-d', '31', core, dumpPath]);
    return { sizeBytes: (await stat(dumpPath)).size };
  } catch (error) {
    const { stderr, stdout, message } = error as Error & { stderr?: string; stdout?: string };
    const said = `${stdout ?? ''}\n${stderr ?? ''}`.trim().split('\n').at(-1);
    return { failure: said === undefined || said === '' ? message : said };
  } finally {
    await rm(core, { force: true });
    await rm(dumpPath, { force: true });
  }
}
