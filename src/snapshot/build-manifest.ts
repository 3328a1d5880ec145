// What was stored, as the manifest says it: RAM first, then the disks. Pure. Its bodies come with their bytes.
import type { PageMap } from '../../introspect/label/page-map.js';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { labelNumbers, pageClasses } from '../../introspect/page-class.js';
import { codedPacksFeature, maxEvidenceLength, maxGuestTextLength } from '../manifest/layout.js';
import { diskRegionBytes, diskSpaceName, ramSpaceName } from '../manifest/space/disk-space.js';
import type {
  AddressSpace,
  Attachment,
  DiskSpace,
  Manifest,
  RamSpace,
  StoredDisk,
  VmIdentity,
} from '../manifest/types.js';
import type { PlaceColumns } from '../pack/types.js';
import type { ReplicationPlan } from '../plan/replication-plan.js';
import type { WrittenPacks } from './write-packs.js';

export interface StoredSnapshot {
  readonly id: string;
  readonly vm: string;
  readonly identity?: VmIdentity | undefined;
  readonly createdMs: number;
  readonly map: PageMap;
  /** The plan of RAM. */
  readonly plan: ReplicationPlan;
  readonly disks: readonly StoredDisk[];
  /** The packs of RAM and of the disks. */
  readonly written: WrittenPacks;
  readonly attachments: readonly Attachment[];
}

export function buildManifest(stored: StoredSnapshot): Manifest {
  const { id, vm, identity, createdMs, map, plan, disks, written, attachments } = stored;
  const notStored = [...new Set(plan.label.filter((_, run) => plan.replication[run] === 0))];
  const [ramPlaces, ...diskPlaces] = written.places;
  const ram: RamSpace = {
    kind: 'ram',
    name: ramSpaceName,
    pageSizeBytes,
    regions: map.regions.map(({ gpaStart, sizeBytes }) => ({ start: gpaStart, sizeBytes })),
    labelRuns: {
      label: plan.label,
      firstPage: plan.firstPage,
      pageCount: plan.runPageCount,
    },
    places: ramPlaces,
    healing: map.healing,
    diskHeld: map.diskHeld,
    notStored: notStored.length === 0 ? undefined : notStored,
  };
  const spaces = [ram, ...disks.map((disk, index) => diskSpace(disk, diskPlaces[index]))];
  return {
    header: {
      id,
      vm,
      createdMs,
      requiredFeatures: written.packs.some(({ code }) => code !== undefined)
        ? [codedPacksFeature]
        : [],
      packs: written.packs,
      bodies: [],
      pageHashes: written.pageHashes,
      attachments,
      // What a guest wrote there must not keep it from being stored.
      guest:
        map.kernel === undefined
          ? null
          : {
              release: map.kernel.release.slice(0, maxGuestTextLength),
              buildId: map.kernel.buildId.slice(0, maxGuestTextLength),
            },
      evidence:
        map.evidence.kind === 'complete'
          ? 'complete'
          : map.evidence.reason.slice(0, maxEvidenceLength),
      labelCounts: labelCountsOf(spaces),
      legend: pageClasses.map((entry) => entry.label),
      imageSizeBytes: map.regions.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      ...(identity === undefined ? {} : { identity }),
    },
    frames: written.frames,
    spaces,
  };
}

function diskSpace(disk: StoredDisk, places: PlaceColumns): DiskSpace {
  const regionBytes = diskRegionBytes(disk.sizeBytes);
  return {
    kind: 'disk',
    name: diskSpaceName(disk.name),
    pageSizeBytes,
    regions: [{ start: 0, sizeBytes: regionBytes }],
    labelRuns: {
      label: Uint8Array.of(labelNumbers.disk),
      firstPage: Uint32Array.of(0),
      pageCount: Uint32Array.of(regionBytes / pageSizeBytes),
    },
    places,
    disk,
  };
}

function labelCountsOf(spaces: readonly AddressSpace[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { labelRuns } of spaces) {
    labelRuns.label.forEach((label, run) => {
      const name = pageClasses[label].label;
      counts[name] = (counts[name] ?? 0) + labelRuns.pageCount[run];
    });
  }
  return counts;
}
