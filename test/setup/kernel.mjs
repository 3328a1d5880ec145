// The kernels that test guests boot: Debian's, fetched through apt, which checks
// their signature, and unpacked into the user's cache. Never installed: the
// machine's own kernel is not touched, and no root is needed.

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { kernelCacheFolder } from './cache-folder.mjs';
import { run, SetupError } from './command.mjs';
import { DebianArchive } from './debian-archive.mjs';

/** What most tests boot, and what their expectations were measured with. */
const DEFAULT_RELEASE = '6.1.';

/** Where kernels of each series come from. The last series is whatever is newest. */
const SERIES = [
  { releasePrefix: '5.10.', suites: ['bullseye', 'bullseye-security'] },
  { releasePrefix: '6.1.', suites: ['bookworm', 'bookworm-security'] },
  { releasePrefix: '6.12.', suites: ['trixie', 'trixie-security'] },
  { releasePrefix: '6.18.', suites: ['trixie-backports'] },
  { releasePrefix: '7.', suites: ['trixie-backports', 'sid'] },
];

/** Series by release prefix, oldest first. */
export const kernelSeries = SERIES.map(({ releasePrefix }) => releasePrefix);

/** What `npm test` boots, in the cloud flavour. */
export const testedSeries = {
  default: DEFAULT_RELEASE,
  oldest: kernelSeries.at(0),
  newest: kernelSeries.at(-1),
};

/** `cloud` leaves out drivers of hardware that no virtual machine has; `generic` is what a server installs. */
export const kernelFlavours = ['cloud', 'generic'];

/** The last two are built: built-kernel.mjs. */
const FLAVOUR_SUFFIXES = {
  cloud: '-cloud-amd64',
  generic: '-amd64',
  nobtf: '-nobtf-amd64',
  nosmp: '-nosmp-amd64',
};

/** The unpacked package with the highest version, or undefined. */
export function newestKernelPackage(releasePrefix = DEFAULT_RELEASE, flavour = 'cloud') {
  const folder = kernelCacheFolder();
  const unpacked = existsSync(folder) ? readdirSync(folder) : [];
  return newestOf(unpacked, releasePrefix, flavour);
}

/** Fetches and unpacks the kernel unless one is there, and returns its package name. */
export function fetchKernel(log, releasePrefix = DEFAULT_RELEASE, flavour = 'cloud') {
  const present = newestKernelPackage(releasePrefix, flavour);
  if (present !== undefined) {
    log(`kernel: ${present} is in ${kernelCacheFolder()}`);
    return present;
  }
  const archive = new DebianArchive(suitesOf(releasePrefix));
  const known = archive.isKnown ? findInArchive(archive, releasePrefix, flavour) : undefined;
  if (known !== undefined) {
    try {
      return fetchPackage(log, archive, known);
    } catch (error) {
      // Lists that are too old name versions that the archive has dropped since.
      if (!(error instanceof SetupError)) {
        throw error;
      }
    }
  }
  archive.refresh(log);
  const packageName = findInArchive(archive, releasePrefix, flavour);
  if (packageName === undefined) {
    throw new SetupError(
      `expected a package linux-image-${releasePrefix}*${FLAVOUR_SUFFIXES[flavour]} in ` +
        `${suitesOf(releasePrefix).join(', ')}, found none; ` +
        'name one that is there with --kernel=<release prefix>',
    );
  }
  return fetchPackage(log, archive, packageName);
}

function suitesOf(releasePrefix) {
  const series = SERIES.filter((entry) => releasePrefix.startsWith(entry.releasePrefix));
  const wanted = series.length > 0 ? series : SERIES;
  return [...new Set(wanted.flatMap(({ suites }) => suites))];
}

function fetchPackage(log, archive, packageName) {
  log(`kernel: fetching ${packageName} into ${kernelCacheFolder()}`);
  mkdirSync(kernelCacheFolder(), { recursive: true });
  // Renamed into place last, so that what is there is whole.
  const work = mkdtempSync(join(kernelCacheFolder(), 'fetch-'));
  try {
    const unpacked = join(work, packageName);
    for (const part of withParts(archive, packageName, work)) {
      run('dpkg-deb', ['-x', part, unpacked], { cwd: work });
    }
    arrange(unpacked, packageName);
    renameSync(unpacked, join(kernelCacheFolder(), packageName));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return packageName;
}

/** The files of the package and, since 7.2, of those that it merely stands for: linux-binary-, -modules- and -base-. */
function withParts(archive, packageName, folder) {
  const release = releaseOf(packageName);
  const fileNames = new Map();
  const wanted = [packageName];
  while (wanted.length > 0) {
    const name = wanted.pop();
    if (fileNames.has(name)) {
      continue;
    }
    const fileName = archive.download(name, folder);
    fileNames.set(name, fileName);
    const needs = run('dpkg-deb', ['--field', fileName, 'Pre-Depends', 'Depends'], { cwd: folder });
    for (const [need] of needs.matchAll(/linux-[^\s,(|]+/g)) {
      // 6.18's linux-base- has left the archive, and nothing in it was needed.
      if (need.endsWith(`-${release}`) && archive.has(need)) {
        wanted.push(need);
      }
    }
  }
  return fileNames.values();
}

/** Guests look in one place: boot/vmlinuz-RELEASE and lib/modules/RELEASE, with the lists that an installation makes. */
function arrange(unpacked, packageName) {
  const release = releaseOf(packageName);
  // From Debian 13 on the modules lie under usr/.
  const usrLib = join(unpacked, 'usr', 'lib');
  if (existsSync(usrLib)) {
    cpSync(usrLib, join(unpacked, 'lib'), { recursive: true });
  }
  const modules = join(unpacked, 'lib', 'modules', release);
  const image = join(unpacked, 'boot', `vmlinuz-${release}`);
  if (!existsSync(image)) {
    mkdirSync(join(unpacked, 'boot'), { recursive: true });
    cpSync(join(modules, 'vmlinuz'), image);
  }
  rmSync(join(unpacked, 'usr'), { recursive: true, force: true });
  for (const path of [image, join(modules, 'modules.builtin'), join(modules, 'kernel')]) {
    if (!existsSync(path)) {
      throw new SetupError(`${packageName} and its parts hold no ${path}`);
    }
  }
  run('depmod', ['-b', unpacked, release]);
}

function releaseOf(packageName) {
  return packageName.slice('linux-image-'.length);
}

function findInArchive(archive, releasePrefix, flavour) {
  const names = archive.packageNames(`^linux-image-[0-9][^ ]*${FLAVOUR_SUFFIXES[flavour]}$`);
  return newestOf(names, releasePrefix, flavour);
}

function newestOf(packageNames, releasePrefix, flavour) {
  return (
    packageNames
      .filter((name) => name.startsWith(`linux-image-${releasePrefix}`))
      // Names without a full version (linux-image-6.12-cloud-amd64) only point to others.
      .filter((name) => /^linux-image-\d+\.\d+\.\d+/.test(name))
      // The real-time kernel ends like the generic one.
      .filter((name) => /(?:-[a-z]+)?-amd64$/.exec(name)?.[0] === FLAVOUR_SUFFIXES[flavour])
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
      .at(-1)
  );
}
