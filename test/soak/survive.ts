// One guest that loses pages and must live: stored and restored as the program does it, then resumed and asked.
import { writeSync } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findFilePlaces } from '../../introspect/heal/file-places.js';
import { classify } from '../../introspect/label/classify.js';
import { findKernel } from '../../introspect/label/find-kernel.js';
import type { PageMap } from '../../introspect/label/page-map.js';
import { readCpuStates } from '../../introspect/memory/device-state.js';
import { openRawFile } from '../../introspect/memory/formats/raw-file.js';
import { pageSizeBytes, type PhysicalMemory } from '../../introspect/memory/physical-memory.js';
import { pageClasses } from '../../introspect/page-class.js';
import { loadManifest } from '../../src/catalog/catalog.js';
import { deleteSnapshot } from '../../src/catalog/delete-snapshots.js';
import { closeGuestDisks, diskNames, openGuestDisks } from '../../src/disk/guest-disks.js';
import { type ProofCount, provePages } from '../../src/disk/prove-pages.js';
import { healingOutlook } from '../../src/loss/healing-outlook.js';
import { lostPageCount, type LostRun, notStoredRuns } from '../../src/loss/lost-pages.js';
import type { Manifest } from '../../src/manifest/types.js';
import { maskPageCount } from '../../src/pack/mask.js';
import { withDiskHeld } from '../../src/plan/disk-held-pages.js';
import { planReplication } from '../../src/plan/plan.js';
import { namedPolicies, type PolicyName } from '../../src/plan/policy.js';
import { plannedSaving } from '../../src/plan/saving.js';
import { healRam } from '../../src/restore/heal/heal-ram.js';
import type { Healing } from '../../src/restore/heal/healing.js';
import { restoreSnapshot } from '../../src/restore/restore-snapshot.js';
import { takeSnapshot } from '../../src/snapshot/take-snapshot.js';
import type { Store } from '../../src/store/store.js';
import { copySparse } from '../guest/copy-sparse.js';
import { resumeGuest } from '../guest/guest.js';
import type { GuestSnapshot } from '../guest/guest-snapshot.js';
import { recordBeforeStop } from '../guest/page-record.js';
import { checkSurvival } from '../guest/survival.js';
import type { PartialLoss } from './cases.js';
import { partialLoss } from './partial-loss.js';

export interface SoakSnapshot {
  readonly files: GuestSnapshot;
  /** The guest's own, from before the snapshot. */
  readonly checksums: ReadonlyMap<string, string>;
}

export interface Outcome {
  /** Everything that was wrong with the guest; empty when it survived. */
  readonly wrong: readonly string[];
  readonly expendablePageCount: number;
  /** Expendable pages that are all zero take no room, and cannot be lost. */
  readonly lostPageCount: number;
  /** Set where all of them were to be lost: those that the manifest has in packs of one copy, or does not have at all. */
  readonly singlePageCount?: number;
  readonly healed: Omit<Healing, 'unhealed'>;
  readonly savingFraction: number;
  /** With pages that are not stored at all. */
  readonly leanSavingFraction: number | undefined;
  /** What the disk held, where it was asked. */
  readonly diskHeld: readonly ProofCount[];
  readonly warnings: readonly string[];
}

export interface SingleCopies {
  /** Where the store is. */
  readonly store: Store;
  /** Takes every block that there is one copy of. */
  readonly destroy: () => Promise<unknown>;
}

/** The snapshot goes into the store, every page stored once is destroyed, and the guest runs from what is left. */
export async function loseAll(
  { files, checksums }: SoakSnapshot,
  policyName: PolicyName,
  { store, destroy }: SingleCopies,
  folder: string,
  options: { readonly noHeal?: boolean } = {},
): Promise<Outcome> {
  const { id, map, diskHeld } = await withLabels(files, policyName, async (labelled) => {
    const { manifest } = await takeSnapshot({
      store,
      memory: labelled.memory,
      map: labelled.map,
      policy: namedPolicies[policyName].policy,
      vm: 'soak',
      statePath: files.statePath,
    });
    return { ...labelled, id: manifest.header.id };
  });
  try {
    await destroy();
    const disks = openGuestDisks([{ name: 'vda', path: files.diskPath }], ['vda']);
    try {
      const manifest = await loadManifest(store, id);
      const restored = await restoreSnapshot({
        store,
        manifest,
        folder,
        noHeal: options.noHeal === true,
        allowLost: options.noHeal === true,
        disks,
      });
      const { healing, lost } = restored;
      const { ramPath, statePath } = restored.kind === 'files' ? restored : {};
      const wrong =
        ramPath === undefined || statePath === undefined
          ? [`expected a restored guest, found ${healing.unhealed[0]?.why ?? 'none'}`]
          : await resumeAndAsk({ ...files, ramPath, statePath }, checksums);
      const singlePageCount = countSinglePages(manifest);
      return { wrong, ...figuresOf(map, policyName, lost, healing), singlePageCount, diskHeld };
    } finally {
      closeGuestDisks(disks);
    }
  } finally {
    await deleteSnapshot(store, id);
  }
}

/** Some of the expendable pages are zero in a copy of the RAM, as a restore leaves them; the copy is healed and runs. */
export async function losePart(
  { files, checksums }: SoakSnapshot,
  policyName: PolicyName,
  part: PartialLoss,
  seed: number,
  folder: string,
): Promise<Outcome> {
  const { map, diskHeld } = await withLabels(files, policyName, (labelled) =>
    Promise.resolve(labelled),
  );
  const lost = partialLoss(map, recordBeforeStop(files).flags, part, seed);
  await mkdir(folder, { recursive: true });
  const ramPath = join(folder, 'ram');
  await copySparse(files.ramPath, ramPath);
  await clearPages(ramPath, lost);
  const space = {
    regions: map.regions.map(({ gpaStart, sizeBytes }) => ({ start: gpaStart, sizeBytes })),
    healing: map.healing,
    diskHeld: map.diskHeld,
  };
  const legend = pageClasses.map(({ label }) => label);
  const disks = openGuestDisks([{ name: 'vda', path: files.diskPath }], ['vda']);
  try {
    const outlook = healingOutlook(space, { legend }, lost);
    const healing = await healRam({ ramPath, space, outlook, disks });
    const wrong =
      healing.unhealed.length > 0
        ? [`expected every page to be healed, found ${healing.unhealed[0].why}`]
        : await resumeAndAsk({ ...files, ramPath }, checksums);
    return { wrong, ...figuresOf(map, policyName, lost, healing), diskHeld };
  } finally {
    closeGuestDisks(disks);
    await rm(ramPath, { force: true });
  }
}

interface Labelled {
  readonly memory: PhysicalMemory;
  readonly map: PageMap;
  readonly diskHeld: readonly ProofCount[];
}

/** `use` gets the labels under that policy; the image is open for as long as it takes. */
async function withLabels<T>(
  files: GuestSnapshot,
  policyName: PolicyName,
  use: (labelled: Labelled) => Promise<T>,
): Promise<T> {
  const image = openRawFile(files.ramPath);
  try {
    const introspected = findKernel({ ...image, cpus: readCpuStates(files.statePath) });
    const { memory } = introspected;
    const map = classify(introspected);
    const { heldLabels } = namedPolicies[policyName];
    if (heldLabels.length === 0 || !introspected.found) {
      return await use({ memory, map, diskHeld: [] });
    }
    const places = findFilePlaces(introspected.kernel, map.labels);
    const names = diskNames(places);
    const disks = openGuestDisks([{ name: 'vda', path: files.diskPath }], names);
    try {
      const { held, counts } = await provePages({ memory, places, disks });
      return await use({ memory, map: withDiskHeld(map, held, heldLabels), diskHeld: counts });
    } finally {
      closeGuestDisks(disks);
    }
  } finally {
    image.close();
  }
}

async function resumeAndAsk(
  files: GuestSnapshot,
  checksums: ReadonlyMap<string, string>,
): Promise<readonly string[]> {
  const guest = await resumeGuest(files, {
    ramPath: files.ramPath,
    statePath: files.statePath,
  });
  try {
    return await checkSurvival(guest, checksums);
  } finally {
    await guest.close();
  }
}

function countSinglePages({ header, frames, spaces: [ram] }: Manifest): number {
  const { frame, maskLow, maskHigh } = ram.places;
  let pageCount = lostPageCount(notStoredRuns(ram));
  for (let place = 0; place < frame.length; place++) {
    if (header.packs[frames.pack[frame[place]]].replication === 1) {
      pageCount += maskPageCount(maskLow[place], maskHigh[place]);
    }
  }
  return pageCount;
}

async function clearPages(ramPath: string, lost: readonly LostRun[]): Promise<void> {
  const file = await open(ramPath, 'r+');
  try {
    for (const { firstPage, pageCount } of lost) {
      const zeroes = Buffer.alloc(pageCount * pageSizeBytes);
      writeSync(file.fd, zeroes, 0, zeroes.length, firstPage * pageSizeBytes);
    }
  } finally {
    await file.close();
  }
}

function figuresOf(
  map: PageMap,
  policyName: PolicyName,
  lost: readonly LostRun[],
  healing: Healing,
) {
  const saving = plannedSaving(planReplication(map, namedPolicies[policyName].policy));
  return {
    expendablePageCount: saving.labels
      .filter(({ expendable }) => expendable)
      .reduce((sum, { pageCount }) => sum + pageCount, 0),
    lostPageCount: lostPageCount(lost),
    healed: {
      filledPageCount: healing.filledPageCount,
      rereadPageCount: healing.rereadPageCount,
      rereadFolioCount: healing.rereadFolioCount,
      putBackPageCount: healing.putBackPageCount,
    },
    savingFraction: saving.total.savingFraction,
    leanSavingFraction: saving.notStored?.total.savingFraction,
    warnings: map.warnings,
  };
}
