// A snapshot that another program made comes into the spool: the files are linked or copied, then the entry is renamed
// into place. What was offered before is known again by its files, and is taken once.
import { existsSync } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageFormat } from '../../../introspect/memory/memory-image.js';
import { ParsError } from '../../../introspect/pars-error.js';
import { expectVmName } from '../../catalog/vm-name.js';
import { DiskImage } from '../../disk/disk-image.js';
import { diskError } from '../../host/disk-error.js';
import { diskNamePattern } from '../../manifest/space/disk-record.js';
import type { VmIdentity } from '../../manifest/types.js';
import { allocatedBytes } from '../../spool/allocated-bytes.js';
import type { Captured } from '../../spool/captured.js';
import { isKnown } from '../../spool/is-known.js';
import { entryName, vmPathPart } from '../../spool/layout.js';
import { waitForLock } from '../../spool/lock.js';
import { addEntry } from '../../spool/new-entry.js';
import type { HookContext } from '../hook-context.js';
import { reportDropped } from '../report-dropped.js';
import { adoptFile, factsOf, type FileFacts } from './adopt-file.js';
import { identityOf } from './snapshot-identity.js';

export interface OfferedDisk {
  /** The VM's own name for it, such as vda. */
  readonly name: string;
  /** A raw image of the moment of the memory. */
  readonly path: string;
  /** Where the VM has it, and what it is there. */
  readonly sourcePath: string;
  readonly sourceFormat: string;
}

export interface OfferedSnapshot {
  /** As src/manifest/vm-name.ts says. */
  readonly vm: string;
  /** Which VM it is, apart from its name. */
  readonly identity?: VmIdentity | undefined;
  /** Guest RAM: a file, or the folder of a Cloud Hypervisor snapshot. */
  readonly image: string;
  /** Told by the content where it is absent. */
  readonly format?: ImageFormat | undefined;
  readonly state?: string | undefined;
  readonly machine?: string | undefined;
  readonly disks: readonly OfferedDisk[];
  /** The moment of the snapshot. */
  readonly createdMs: number;
  /** Who brings it, such as `libvirt`. */
  readonly source: string;
  /**
   * Whether files may be linked instead of copied: nobody will write into them again. They may be unlinked or replaced
   * by a rename.
   */
  readonly link: boolean;
  /**
   * Set for files in a folder that others may write to, which the caller does not name: each file by its path, as it was
   * looked at. No other file is taken, and no link that others made is followed.
   */
  readonly checked?: ReadonlyMap<string, FileFacts>;
}

/** Beside a flat file: how it lies in guest memory. */
const mapSuffix = '.map.json';
/** Another snapshot of the VM may be on its way in, by copying. */
const lockTimeoutMs = 600_000;

interface FileToAdopt {
  readonly source: string;
  /** Below the entry's folder. */
  readonly target: string;
  readonly facts: FileFacts;
}

/**
 * `known`: it is in the spool already, or was sent. Throws `no-space` when the spool has no room for it, `image-invalid`
 * when a file is empty or changes meanwhile, `not-found` when one is missing, `usage` when the offer itself is wrong.
 */
export async function offerSnapshot(
  hook: HookContext,
  offered: OfferedSnapshot,
): Promise<'spooled' | 'known'> {
  const { spool, log } = hook;
  const { vm } = offered;
  expectGoodNames(offered);
  for (const { path } of offered.disks) {
    DiskImage.open(path).close();
  }
  const isFolder = await isFolderOf(offered.image);
  const files = await filesOf(offered, isFolder);
  const identity = identityOf(
    vm,
    files.filter(({ target }) => target.startsWith('image')),
  );
  const lock = await waitForLock(spool.paths.root, 'capture', vmPathPart(vm), {
    timeoutMs: lockTimeoutMs,
    signal: hook.signal,
  });
  try {
    if (await isKnown(spool, entryName(vm, identity))) {
      log.info('the snapshot is known already', { vm, image: offered.image });
      return 'known';
    }
    let expectedBytes = 0;
    for (const { source } of files) {
      expectedBytes += await allocatedBytes(source);
    }
    const entry = await addEntry(spool, {
      vm,
      identity,
      expectedBytes,
      fill: async (folder) => {
        if (isFolder) {
          await mkdir(join(folder, 'image'), { mode: 0o700 });
        }
        for (const { source, target, facts } of files) {
          const { link, checked } = offered;
          await adoptFile(source, join(folder, target), {
            link,
            facts,
            isForeign: checked !== undefined,
            signal: hook.signal,
          });
        }
        return capturedOf(offered);
      },
      onDropped: (dropped) => reportDropped(hook, dropped),
    });
    log.info('a snapshot is in the spool', { vm, entry, image: offered.image });
    return 'spooled';
  } finally {
    await lock.release();
  }
}

function expectGoodNames({ vm, disks, createdMs }: OfferedSnapshot): void {
  expectVmName(vm, 'call the VM otherwise');
  if (!Number.isFinite(createdMs) || createdMs < 0) {
    throw new ParsError('usage', `expected the moment of a snapshot of ${vm}, found ${createdMs}`);
  }
  disks.forEach(({ name, path }, at) => {
    if (!diskNamePattern.test(name) || disks.findIndex((disk) => disk.name === name) < at) {
      throw new ParsError(
        'usage',
        `expected disks of ${vm} with names such as vda, each once, of at most 64 of A-Z a-z 0-9 . _ - and no leading dot; ` +
          `found ${JSON.stringify(name)} for ${path}`,
      );
    }
  });
}

async function isFolderOf(path: string): Promise<boolean> {
  const found = await stat(path).catch((error: unknown) => {
    throw diskError(error, `cannot look at the image ${path}`);
  });
  if (found.isDirectory()) {
    return true;
  }
  if (!found.isFile() || found.size === 0) {
    throw new ParsError(
      'image-invalid',
      `${path}: expected a file of guest RAM, found ${found.isFile() ? 'an empty file' : 'no regular file'}`,
    );
  }
  return false;
}

async function filesOf(
  { image, state, machine, disks, checked }: OfferedSnapshot,
  isFolder: boolean,
): Promise<readonly FileToAdopt[]> {
  const pairs: { source: string; target: string }[] = isFolder
    ? (await readdir(image, { withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map(({ name }) => ({ source: join(image, name), target: join('image', name) }))
        .toSorted((a, b) => (a.target < b.target ? -1 : 1))
    : [{ source: image, target: 'image' }];
  if (!isFolder && existsSync(`${image}${mapSuffix}`)) {
    pairs.push({ source: `${image}${mapSuffix}`, target: `image${mapSuffix}` });
  }
  if (state !== undefined) {
    pairs.push({ source: state, target: 'state' });
  }
  if (machine !== undefined) {
    pairs.push({ source: machine, target: 'machine' });
  }
  pairs.push(...disks.map(({ name, path }) => ({ source: path, target: diskFile(name) })));
  const sources = new Set(pairs.map(({ source }) => source));
  const gone = [...(checked?.keys() ?? [])].find((path) => !sources.has(path));
  if (gone !== undefined) {
    throw new ParsError('image-invalid', `${gone} went while its snapshot was looked at`);
  }
  return await Promise.all(
    pairs.map(async (pair) => ({
      ...pair,
      facts:
        checked === undefined ? await factsOf(pair.source) : checkedFacts(checked, pair.source),
    })),
  );
}

function checkedFacts(checked: ReadonlyMap<string, FileFacts>, source: string): FileFacts {
  const facts = checked.get(source);
  if (facts === undefined) {
    throw new ParsError(
      'image-invalid',
      `${source} came while its snapshot was looked at; it is taken when nothing changes any more`,
    );
  }
  return facts;
}

function capturedOf(offered: OfferedSnapshot) {
  const { vm, identity, createdMs, source, format, state, machine, disks } = offered;
  const captured: Captured = {
    version: 1,
    vm,
    ...(identity === undefined ? {} : { identity }),
    createdMs,
    source,
    image: { file: 'image', ...(format === undefined ? {} : { format }) },
    ...(state === undefined ? {} : { state: 'state' }),
    ...(machine === undefined ? {} : { machine: 'machine' }),
    disks: disks.map(({ name, sourcePath, sourceFormat }) => ({
      name,
      file: diskFile(name),
      sourcePath,
      sourceFormat,
    })),
  };
  return captured;
}

const diskFile = (name: string): string => `disk-${name}.img`;
