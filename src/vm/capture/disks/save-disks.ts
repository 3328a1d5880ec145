// The disks of a running VM as they were at one moment. Each gets QEMU's filter copy-before-write: before the VM overwrites
// a cluster for the first time, what it held goes to a file of ours. The VM's own image stays complete at any time, and
// when our file is full the snapshot breaks, not the VM's write (on-cbw-error=break-snapshot, QEMU 7.1 and later).
//
// What was is read over NBD by qemu-img, which knows how to leave holes. (QEMU docs/interop/qmp-ref, CbwOptions)
import { spawn } from 'node:child_process';
import { open, rm } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { ParsError } from '../../../../introspect/pars-error.js';
import type { OnProgress } from '../../../flow/progress.js';
import { diskError } from '../../../host/disk-error.js';
import type { QmpClient } from '../../qmp/qmp-client.js';
import { accessNode, exportId, filterNode, targetNode } from '../own-names.js';
import type { VmDisk } from '../vm-facts.js';
import { nbdSocketName } from './nbd-server.js';

const overwrittenFile = (folder: string, index: number): string =>
  join(folder, `overwritten-${index}`);

export interface CapturedDisk {
  readonly name: string;
  /** A raw image. */
  readonly path: string;
  /** Where the VM has it, and what it is there. */
  readonly sourcePath: string;
  readonly sourceFormat: string;
  readonly wasEncrypted?: true | undefined;
}

/** Read through QEMU, which shows what the guest sees. */
export function capturedDisk(
  { name, sourcePath, sourceFormat, isEncrypted }: VmDisk,
  path: string,
): CapturedDisk {
  return { name, path, sourcePath, sourceFormat, wasEncrypted: isEncrypted ? true : undefined };
}

/** Made ready, but not yet before the disks: the VM does not notice. */
export async function prepareFilters(
  qmp: QmpClient,
  disks: readonly VmDisk[],
  folder: string,
): Promise<void> {
  for (const [index, disk] of disks.entries()) {
    await prepareFilter(qmp, disk, index, folder);
  }
}

/** Takes the filters away again and makes new ones ready. */
export async function renewFilters(
  qmp: QmpClient,
  disks: readonly VmDisk[],
  folder: string,
): Promise<void> {
  for (const [index, { qomPath, nodeName }] of disks.entries()) {
    await qmp.execute('qom-set', { path: qomPath, property: 'drive', value: nodeName });
    await qmp.execute('blockdev-del', { 'node-name': filterNode(index) });
    await qmp.execute('blockdev-del', { 'node-name': targetNode(index) });
  }
  await dropOverwritten(folder, disks);
  await prepareFilters(qmp, disks, folder);
}

async function prepareFilter(
  qmp: QmpClient,
  disk: VmDisk,
  index: number,
  folder: string,
): Promise<void> {
  const path = overwrittenFile(folder, index);
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.truncate(disk.sizeBytes);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw diskError(error, `cannot create ${path}`);
  }
  await qmp.execute('blockdev-add', {
    driver: 'raw',
    'node-name': targetNode(index),
    file: { driver: 'file', filename: path },
  });
  await qmp.execute('blockdev-add', {
    driver: 'copy-before-write',
    'node-name': filterNode(index),
    file: disk.nodeName,
    target: targetNode(index),
    'on-cbw-error': 'break-snapshot',
  });
}

export interface CopyDisksRequest {
  readonly qmp: QmpClient;
  readonly disks: readonly VmDisk[];
  readonly folder: string;
  readonly bandwidthBytesPerSecond?: number | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal: AbortSignal;
}

/** Once the filters are before their disks, and the NBD server listens. Throws `unavailable`, or `no-space` when the folder has no room. */
export async function copyDisks(request: CopyDisksRequest): Promise<readonly CapturedDisk[]> {
  const { disks, folder } = request;
  if (disks.length === 0) {
    return [];
  }
  await startExports(request);
  const captured: CapturedDisk[] = [];
  for (const [index, disk] of disks.entries()) {
    const path = join(folder, `disk-${disk.name}`);
    const socketPath = encodeURIComponent(join(folder, nbdSocketName));
    const source = `nbd+unix:///${exportId(index)}?socket=${socketPath}`;
    await convert(request, disk, ['-f', 'raw'], source, path);
    captured.push(capturedDisk(disk, path));
  }
  return captured;
}

/**
 * While the VM stands still, after a migration: QEMU has let go of the images then, so they can be read as files. Throws
 * `unsupported` for a disk that is none.
 */
export async function copyStandingDisks(
  request: Omit<CopyDisksRequest, 'qmp'>,
): Promise<readonly CapturedDisk[]> {
  const captured: CapturedDisk[] = [];
  for (const disk of request.disks) {
    const { name } = disk;
    // Not the place that the command line has for it: QEMU may write to another file.
    const [image] = disk.layers;
    if (!isAbsolute(image.path)) {
      throw new ParsError(
        'unsupported',
        `the disk ${name} (${image.path}) is no file with an absolute path, and this QEMU cannot keep it while the VM runs`,
      );
    }
    const path = join(request.folder, `disk-${name}`);
    await convert(request, disk, ['-U', '-f', image.format], image.path, path);
    captured.push(capturedDisk(disk, path));
  }
  return captured;
}

/** Once the filters are gone. */
export async function dropOverwritten(folder: string, disks: readonly VmDisk[]): Promise<void> {
  for (const index of disks.keys()) {
    await rm(overwrittenFile(folder, index), { force: true });
  }
}

async function startExports({ qmp, disks }: CopyDisksRequest): Promise<void> {
  for (const index of disks.keys()) {
    await qmp.execute('blockdev-add', {
      driver: 'snapshot-access',
      'node-name': accessNode(index),
      file: filterNode(index),
    });
    await qmp.execute('block-export-add', {
      type: 'nbd',
      id: exportId(index),
      'node-name': accessNode(index),
      name: exportId(index),
    });
  }
}

/** Into a raw image with holes. */
async function convert(
  { bandwidthBytesPerSecond, onProgress, signal }: Omit<CopyDisksRequest, 'qmp'>,
  disk: VmDisk,
  sourceOptions: readonly string[],
  source: string,
  path: string,
): Promise<void> {
  signal.throwIfAborted();
  const limit =
    bandwidthBytesPerSecond === undefined ? [] : ['-r', String(bandwidthBytesPerSecond)];
  const child = spawn(
    'qemu-img',
    ['convert', '-p', ...sourceOptions, '-O', 'raw', ...limit, source, path],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, LC_ALL: 'C' } },
  );
  const stop = (): void => {
    child.kill('SIGKILL');
  };
  signal.addEventListener('abort', stop, { once: true });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(0, 4096);
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const percent = [...text.matchAll(/\((\d+(?:\.\d+)?)\/100%\)/g)].at(-1)?.[1];
    if (percent !== undefined) {
      onProgress?.({
        phase: `copying the disk ${disk.name}`,
        doneBytes: Math.round((Number(percent) / 100) * disk.sizeBytes),
        totalBytes: disk.sizeBytes,
      });
    }
  });
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('error', (error: NodeJS.ErrnoException) => {
        reject(
          error.code === 'ENOENT'
            ? new ParsError(
                'unavailable',
                'qemu-img is not installed (package qemu-utils), and disks are read with it',
              )
            : error,
        );
      });
      child.once('close', (code) => {
        if (code === 0) {
          resolve();
          return;
        }
        const reason = complaint.trim().split('\n').at(0) ?? '';
        reject(
          new ParsError(
            reason.includes('No space left') ? 'no-space' : 'unavailable',
            `the disk ${disk.name} could not be copied as it was at the snapshot: ${reason === '' ? 'qemu-img was ended' : reason}`,
          ),
        );
      });
    });
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
