// The kernel that test guests boot: a Debian cloud kernel, fetched through apt,
// which checks its signature, and unpacked into the user's cache. Never installed:
// the machine's own kernel is not touched, and no root is needed.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { kernelCacheFolder } from './cache-folder.mjs';
import { SetupError, isRoot, run } from './command.mjs';
import { refreshPackageLists } from './apt-packages.mjs';

/** What the tests' expectations were measured with; any newer one does as well. */
const PREFERRED_RELEASE = '6.1.';
const ANY_RELEASE = '';

/** The unpacked package with the highest version, or undefined. */
export function newestKernelPackage(releasePrefix) {
  const folder = kernelCacheFolder();
  const unpacked = existsSync(folder) ? readdirSync(folder) : [];
  return newestOf(unpacked, releasePrefix);
}

/** Fetches and unpacks the kernel unless one is there, and returns its package name. */
export function fetchKernel(log, releasePrefix) {
  const present = newestKernelPackage(releasePrefix);
  if (present !== undefined) {
    log(`kernel: ${present} is in ${kernelCacheFolder()}`);
    return present;
  }
  const packageName = findInArchive(releasePrefix) ?? refreshAndFind(log, releasePrefix);
  log(`kernel: fetching ${packageName} into ${kernelCacheFolder()}`);
  mkdirSync(kernelCacheFolder(), { recursive: true });
  // Renamed into place last, so that what is there is whole.
  const work = mkdtempSync(join(kernelCacheFolder(), 'fetch-'));
  try {
    // Root's cache is closed to the user that apt would otherwise download as.
    const sandbox = isRoot() ? ['-o', 'APT::Sandbox::User=root'] : [];
    run('apt-get', ['download', '-q', ...sandbox, packageName], { cwd: work });
    const archive = readdirSync(work).find((name) => name.endsWith('.deb'));
    if (archive === undefined) throw new SetupError(`apt-get left no ${packageName}*.deb`);
    const unpacked = join(work, packageName);
    run('dpkg-deb', ['-x', archive, unpacked], { cwd: work });
    writeModuleLists(unpacked, packageName);
    renameSync(unpacked, join(kernelCacheFolder(), packageName));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return packageName;
}

/** Which module needs which: normally written when the package is installed. */
function writeModuleLists(unpacked, packageName) {
  const release = packageName.slice('linux-image-'.length);
  // From Debian 13 on the modules lie under usr/; guests look in one place.
  if (!existsSync(join(unpacked, 'lib')))
    renameSync(join(unpacked, 'usr', 'lib'), join(unpacked, 'lib'));
  run('depmod', ['-b', unpacked, release]);
}

function refreshAndFind(log, releasePrefix) {
  refreshPackageLists(log);
  const packageName = findInArchive(releasePrefix);
  if (packageName === undefined) {
    throw new SetupError(
      `expected a package linux-image-${releasePrefix ?? ''}*-cloud-amd64 in apt's sources, found none; ` +
        'name one that is there with --kernel=<release prefix>',
    );
  }
  return packageName;
}

function findInArchive(releasePrefix) {
  const pattern = '^linux-image-[0-9][^ ]*-cloud-amd64$';
  const lines = run('apt-cache', ['search', '--names-only', pattern]).split('\n');
  // Names without a full version (linux-image-6.12-cloud-amd64) only point to others.
  const names = lines
    .map((line) => line.split(' ')[0])
    .filter((name) => /^linux-image-\d+\.\d+\.\d+/.test(name));
  return newestOf(names, releasePrefix);
}

function newestOf(packageNames, releasePrefix) {
  if (releasePrefix === undefined) {
    return newestOf(packageNames, PREFERRED_RELEASE) ?? newestOf(packageNames, ANY_RELEASE);
  }
  return packageNames
    .filter((name) => name.startsWith(`linux-image-${releasePrefix}`))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .at(-1);
}
