// One guest snapshot for many test files. Made once, kept in a folder that the
// caller names, and made anew when the kernel, the scripts or the options change.
// Test files run in parallel processes: the first one makes it, the others wait.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bootGuest } from './guest.js';
import { type GuestOptions, modulesOf } from './guest-options.js';
import { type GuestSnapshot, openSnapshot } from './guest-snapshot.js';
import { buildInitramfs } from './initramfs.js';
import { findKernelPackage } from './kernel-package.js';

const LOCK_TIMEOUT_MS = 300_000;
const POLL_INTERVAL_MS = 200;

export interface SnapshotFixture extends GuestSnapshot {
  /** What the guest's `checksums` said before the snapshot. */
  readonly checksums: ReadonlyMap<string, string>;
}

export async function guestSnapshotFixture(
  cacheFolder: string,
  options: GuestOptions = {},
): Promise<SnapshotFixture> {
  const folder = join(cacheFolder, `guest-${identityOf(options)}`);
  if (!existsSync(folder)) {
    mkdirSync(cacheFolder, { recursive: true });
    await underLock(`${folder}.lock`, async () => {
      if (!existsSync(folder)) {
        await makeFixture(folder, options);
      }
    });
  }
  const checksums = JSON.parse(readFileSync(checksumsPath(folder), 'utf8')) as [string, string][];
  return { ...openSnapshot(folder), checksums: new Map(checksums) };
}

function identityOf(options: GuestOptions): string {
  const kernel = findKernelPackage(options.kernelRelease, options.kernelFlavour);
  return createHash('sha256')
    .update(kernel.release)
    .update(JSON.stringify(options))
    .update(buildInitramfs(kernel, modulesOf(options)))
    .digest('hex')
    .slice(0, 16);
}

/** Becomes visible under its name only when it is whole. */
async function makeFixture(folder: string, options: GuestOptions): Promise<void> {
  const unfinished = `${folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  const guest = await bootGuest(options);
  try {
    const checksums = await guest.checksums();
    await guest.snapshot(unfinished);
    writeFileSync(checksumsPath(unfinished), JSON.stringify([...checksums], null, 2));
    renameSync(unfinished, folder);
  } finally {
    await guest.close();
    rmSync(unfinished, { recursive: true, force: true });
  }
}

function checksumsPath(folder: string): string {
  return join(folder, 'checksums.json');
}

async function underLock(path: string, work: () => Promise<void>): Promise<void> {
  const deadlineMs = Date.now() + LOCK_TIMEOUT_MS;
  while (!tryLock(path)) {
    if (Date.now() > deadlineMs) {
      throw new Error(`waited ${LOCK_TIMEOUT_MS} ms for another process to release ${path}`);
    }
    await sleep(POLL_INTERVAL_MS);
  }
  try {
    await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function tryLock(path: string): boolean {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    // A holder that was killed leaves its lock behind.
    if (!isHeldByLivingProcess(path)) {
      rmSync(path, { force: true });
    }
    return false;
  }
}

function isHeldByLivingProcess(path: string): boolean {
  try {
    process.kill(Number(readFileSync(path, 'utf8')), 0);
    return true;
  } catch {
    return false;
  }
}
