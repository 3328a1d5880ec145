// The programs that tests need beside Node, and the Debian packages they come in.
// Looks for the program rather than the package: a Java unpacked by hand is as
// good as a packaged one, and on a machine without apt it is the only kind.

import { existsSync, readFileSync } from 'node:fs';
import { hasProgram, run, runAsRoot, SetupError } from './command.mjs';
import { ARCHIVE_KEYRING } from './debian-archive.mjs';

const JAVA_VERSION_MIN = 17;

const GUEST_NEEDS = [
  { packageName: 'qemu-system-x86', isThere: () => hasProgram('qemu-system-x86_64') },
  { packageName: 'qemu-utils', isThere: () => hasProgram('qemu-img') },
  // The daemon's package alone lacks the user and the files that it does not start without.
  { packageName: 'libvirt-daemon-system', isThere: () => existsSync('/etc/libvirt/qemu.conf') },
  { packageName: 'libvirt-clients', isThere: () => hasProgram('virsh') },
  { packageName: 'busybox-static', isThere: hasStaticBusybox },
  // For the one guest program that busybox has no applet for.
  { packageName: 'gcc', isThere: () => hasProgram('gcc') },
  { packageName: 'libc6-dev', isThere: hasStaticLibc },
  { packageName: 'debian-archive-keyring', isThere: () => existsSync(ARCHIVE_KEYRING) },
  { packageName: 'e2fsprogs', isThere: () => hasProgram('mke2fs') },
  { packageName: 'xfsprogs', isThere: () => hasProgram('mkfs.xfs') },
  { packageName: 'btrfs-progs', isThere: () => hasProgram('mkfs.btrfs') },
  { packageName: 'kmod', isThere: () => hasProgram('depmod') },
  { packageName: 'xz-utils', isThere: () => hasProgram('xz') },
  { packageName: 'dpkg', isThere: () => hasProgram('dpkg-deb') },
  { packageName: 'util-linux', isThere: () => hasProgram('setpriv') },
  // Programs that guests run, of those that not every Debian has.
  { packageName: 'mawk', isThere: () => existsSync('/usr/bin/mawk') },
  { packageName: 'sqlite3', isThere: () => existsSync('/usr/bin/sqlite3') },
];

/** What reports are opened in and held against. */
const REPORT_NEEDS = [
  { packageName: 'chromium', isThere: () => existsSync('/usr/bin/chromium') },
  { packageName: 'lz4', isThere: () => hasProgram('lz4') },
  { packageName: 'zstd', isThere: () => hasProgram('zstd') },
];

const JARS_NEEDS = [
  { packageName: 'default-jre-headless', isThere: hasJava },
  { packageName: 'maven', isThere: () => hasProgram('mvn') },
];

const HDFS_NEEDS = [
  ...JARS_NEEDS,
  // A realm of Kerberos for a cluster that asks for one; 2 MB.
  { packageName: 'krb5-kdc', isThere: () => hasProgram('krb5kdc') },
  { packageName: 'krb5-admin-server', isThere: () => hasProgram('kadmin.local') },
];

/** What the userland of guests under real workloads is built with, and a peer that is measured on their memory. */
const WORKLOADS_NEEDS = [
  { packageName: 'mmdebstrap', isThere: () => hasProgram('mmdebstrap') },
  { packageName: 'fakeroot', isThere: () => hasProgram('fakeroot') },
  { packageName: 'makedumpfile', isThere: () => hasProgram('makedumpfile') },
  // For Lucene's jars.
  ...JARS_NEEDS,
];

/** What the kernels of built-kernel.mjs are built with. */
const MATRIX_NEEDS = [
  ...['bc', 'bison', 'flex', 'make'].map((name) => ({
    packageName: name,
    isThere: () => hasProgram(name),
  })),
  { packageName: 'dwarves', isThere: () => hasProgram('pahole') },
  { packageName: 'libelf-dev', isThere: () => existsSync('/usr/include/gelf.h') },
];

/** Peers and clocks that only benches use. */
const BENCH_NEEDS = [
  { packageName: 'makedumpfile', isThere: () => hasProgram('makedumpfile') },
  { packageName: 'time', isThere: () => existsSync('/usr/bin/time') },
];

/** Installs what is missing; asks for root only then. */
export function installMissingPackages(log, { hdfs, reports, bench, matrix, workloads }) {
  const needs = [
    ...GUEST_NEEDS,
    ...(hdfs ? HDFS_NEEDS : []),
    ...(reports ? REPORT_NEEDS : []),
    ...(bench ? BENCH_NEEDS : []),
    ...(matrix ? MATRIX_NEEDS : []),
    ...(workloads ? WORKLOADS_NEEDS : []),
  ];
  const missing = needs.filter(({ isThere }) => !isThere()).map(({ packageName }) => packageName);
  if (missing.length === 0) {
    log(`packages: all ${needs.length} are there`);
    return;
  }
  if (!hasProgram('apt-get')) {
    throw new SetupError(
      `this machine has no apt; install what these Debian packages hold: ${missing.join(', ')}`,
    );
  }
  if (!missing.every(hasCandidate)) {
    refreshPackageLists(log);
  }
  log(`packages: installing ${missing.join(', ')}`);
  try {
    install(missing);
  } catch {
    // Lists that are too old name versions that the archive has dropped since.
    refreshPackageLists(log);
    install(missing);
  }
}

export function refreshPackageLists(log) {
  log("packages: refreshing apt's lists");
  runAsRoot('apt-get', ['update', '-q'], "refreshing apt's lists");
}

function install(packageNames) {
  runAsRoot(
    'env',
    [
      ...['DEBIAN_FRONTEND=noninteractive', 'apt-get', 'install', '-q', '-y'],
      ...['--no-install-recommends', ...packageNames],
    ],
    `installing ${packageNames.join(', ')}`,
  );
}

function hasCandidate(packageName) {
  const policy = run('apt-cache', ['policy', packageName], { env: { LC_ALL: 'C' } });
  return /Candidate: (?!\(none\))/.test(policy);
}

/** The guest has no libraries. Debian's plain busybox sits at the same path and needs some. */
function hasStaticBusybox() {
  const path = '/bin/busybox';
  if (!existsSync(path)) {
    return false;
  }
  const PT_INTERP = 3;
  const elf = readFileSync(path);
  const headersOffset = Number(elf.readBigUInt64LE(32));
  const headerSizeBytes = elf.readUInt16LE(54);
  const headerCount = elf.readUInt16LE(56);
  for (let index = 0; index < headerCount; index++) {
    if (elf.readUInt32LE(headersOffset + index * headerSizeBytes) === PT_INTERP) {
      return false;
    }
  }
  return true;
}

/** gcc answers with a bare name when it has no such file. */
function hasStaticLibc() {
  return hasProgram('gcc') && existsSync(run('gcc', ['-print-file-name=libc.a']).trim());
}

function hasJava() {
  if (!hasProgram('java')) {
    return false;
  }
  // The only form of the version that goes to standard output.
  const major = /^\S+ (\d+)/.exec(run('java', ['--version']))?.[1];
  return Number(major) >= JAVA_VERSION_MIN;
}
