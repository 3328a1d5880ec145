// What a restore will write where, and whether it goes on without the pages that are lost: from the request, the manifest
// and what is known of the loss. Pure; restore-snapshot.ts does it.
import { join } from 'node:path';
import { ParsError } from '../../introspect/pars-error.js';
import type { LostPacks } from '../loss/loss-reason.js';
import { framesOfPacks } from '../loss/lost-pages.js';
import { restoreLoss } from '../loss/snapshot-loss.js';
import { ramOf } from '../manifest/space/spaces.js';
import type { AddressSpace, Attachment, RamSpace } from '../manifest/types.js';
import { nothingHealed } from './heal/healing.js';
import { type HealingRequest, unhealable } from './heal/unhealable.js';
import type { RestoreRequest, StreamFormat } from './restore-request.js';
import type { RestoreOutcome } from './restore-result.js';
import { type DiskTarget, diskTargets } from './restored-disk.js';
import type { SpaceTarget } from './space-target.js';

export interface RestorePlan {
  readonly memory: MemoryPlan;
  /** Written before RAM, which may be healed from them. */
  readonly disks: readonly DiskTarget[];
}

export type MemoryPlan = FilesPlan | StreamPlan | ResumablePlan;

/** Each as a file, as far as the snapshot has it. */
export interface FilesPlan {
  readonly kind: 'files';
  readonly ram: RamTarget | undefined;
  readonly state: StateTarget | undefined;
}

/** One file of both, which are written first and do not stay. */
export interface StreamPlan {
  readonly kind: 'stream';
  readonly format: StreamFormat;
  readonly path: string;
  readonly ram: RamTarget;
  readonly state: StateTarget;
}

/** One or the other, by what the device state turns out to be. */
export interface ResumablePlan {
  readonly kind: 'resumable';
  readonly files: FilesPlan;
  readonly stream: StreamPlan;
}

export type RamTarget = SpaceTarget<RamSpace>;

export interface StateTarget {
  readonly attachment: Attachment;
  readonly path: string;
}

/** Throws `unsupported` when the snapshot lacks what the format is made of. */
export function planRestore(
  request: Pick<RestoreRequest, 'manifest' | 'folder' | 'format' | 'withoutDisks'>,
): RestorePlan {
  const { manifest, folder, withoutDisks } = request;
  return {
    memory: planMemory(request),
    disks: withoutDisks === true ? [] : diskTargets(manifest, folder),
  };
}

function planMemory({
  manifest,
  folder,
  format = 'raw',
}: Pick<RestoreRequest, 'manifest' | 'folder' | 'format'>): MemoryPlan {
  const ram = ramTarget({ manifest, folder });
  const state = stateTarget({ manifest, folder });
  const files: FilesPlan = { kind: 'files', ram, state };
  if (format === 'raw') {
    return files;
  }
  if (ram === undefined || state === undefined) {
    throw new ParsError(
      'unsupported',
      `this snapshot cannot be restored as ${format}: it has no ${ram === undefined ? 'RAM' : 'device state'}; ` +
        'restore it as raw',
    );
  }
  const streamOf = (streamFormat: StreamFormat): StreamPlan => ({
    kind: 'stream',
    format: streamFormat,
    path: join(folder, streamFormat),
    ram,
    state,
  });
  return format === 'resumable'
    ? { kind: 'resumable', files, stream: streamOf('migration') }
    : streamOf(format);
}

type Where = Pick<RestoreRequest, 'manifest' | 'folder'>;

function ramTarget({ manifest, folder }: Where): RamTarget | undefined {
  const space = ramOf(manifest);
  return space === undefined
    ? undefined
    : {
        space,
        path: join(folder, 'ram'),
        sizeBytes: manifest.header.imageSizeBytes,
        phase: 'reading pages',
      };
}

function stateTarget({ manifest, folder }: Where): StateTarget | undefined {
  const attachment = manifest.header.attachments.find(({ role }) => role === 'state');
  return attachment === undefined ? undefined : { attachment, path: join(folder, 'state') };
}

/** What of RAM and device state is read from the store. */
export function memoryRead(memory: MemoryPlan): Readonly<Pick<FilesPlan, 'ram' | 'state'>> {
  return memory.kind === 'resumable' ? memory.files : memory;
}

/** Files or a stream: where that is open, by whether QEMU takes the device state back with the RAM in a file beside it. */
export function settled(
  memory: MemoryPlan,
  isRamElsewhere: (state: StateTarget) => boolean,
): FilesPlan | StreamPlan {
  if (memory.kind !== 'resumable') {
    return memory;
  }
  return isRamElsewhere(memory.stream.state) ? memory.files : memory.stream;
}

/** The spaces that are read. */
export function spacesRead({ memory, disks }: RestorePlan): readonly AddressSpace[] {
  const { ram } = memoryRead(memory);
  return [...(ram === undefined ? [] : [ram]), ...disks].map(({ space }) => space);
}

/** All names that may be given, which nothing may have. */
export function namesNeeded({ memory, disks }: RestorePlan): readonly string[] {
  const ofMemory =
    memory.kind === 'resumable'
      ? [...namesOf(memory.files), ...namesOf(memory.stream)]
      : namesOf(memory);
  return [...ofMemory, ...disks.map(({ path }) => path)];
}

/** The names in the order in which they are given: what says that all is there comes last. */
export function namesGiven(
  memory: FilesPlan | StreamPlan,
  disks: readonly DiskTarget[],
): readonly string[] {
  return [...disks.map(({ path }) => path), ...namesOf(memory).toReversed()];
}

function namesOf(memory: FilesPlan | StreamPlan): readonly string[] {
  return memory.kind === 'stream'
    ? [memory.path]
    : [memory.ram, memory.state].flatMap((target) => (target === undefined ? [] : [target.path]));
}

/** What is known to be lost before anything is read, and what of it nothing will heal. */
export function foreseenOutcome(
  request: HealingRequest,
  plan: RestorePlan,
  lostPacks: LostPacks,
): RestoreOutcome {
  const loss = restoreLoss(spacesRead(plan), framesOfPacks(request.manifest.frames, lostPacks));
  return { ...loss, healing: { ...nothingHealed, unhealed: unhealable(request, loss.lost) } };
}

/** Whether the restore ends there, and leaves no file. */
export function isRefused(
  { allowLost }: Pick<RestoreRequest, 'allowLost'>,
  { lostOnDisks, healing }: Pick<RestoreOutcome, 'lostOnDisks' | 'healing'>,
): boolean {
  return !allowLost && healing.unhealed.length + lostOnDisks.length > 0;
}
