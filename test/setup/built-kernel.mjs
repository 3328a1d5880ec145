// Kernels that no Debian package has, built from Debian's own sources: as few drivers as the test guests need, which takes
// some minutes, and no more of it once it is in the user's cache.

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { kernelCacheFolder } from './cache-folder.mjs';
import { run, SetupError } from './command.mjs';
import { DebianArchive } from './debian-archive.mjs';
import { newestKernelPackage } from './kernel.mjs';

const SERIES = '6.12';
const SUITES = ['trixie', 'trixie-security'];

/** Release prefix of all of them. */
export const builtSeries = `${SERIES}.`;

/** What makes each another kernel than Debian's. */
const OPTIONS = {
  /** As Firecracker's, Kata's and libkrun's: nothing says how structures are laid out. */
  nobtf: ['SMP'],
  /** For one CPU alone. */
  nosmp: ['BPF_SYSCALL', 'DEBUG_INFO_DWARF5', 'DEBUG_INFO_BTF'],
};

export const builtFlavours = Object.keys(OPTIONS);

/** What the guests' init and workloads use, all of it built in. */
const COMMON_OPTIONS = [
  // The machine.
  ...['64BIT', 'PCI', 'ACPI', 'HYPERVISOR_GUEST', 'PARAVIRT', 'KVM_GUEST', 'RELOCATABLE'],
  ...['RANDOMIZE_BASE', 'RANDOMIZE_MEMORY', 'MITIGATION_PAGE_TABLE_ISOLATION', 'CPU_MITIGATIONS'],
  ...['VIRTIO_MENU', 'VIRTIO_PCI', 'VIRTIO_BLK', 'VIRTIO_CONSOLE', 'BLOCK', 'BLK_DEV'],
  ...['TTY', 'UNIX98_PTYS', 'SERIAL_8250', 'SERIAL_8250_CONSOLE', 'PRINTK'],
  // Programs and files.
  ...['BINFMT_ELF', 'BINFMT_SCRIPT', 'BLK_DEV_INITRD', 'MULTIUSER', 'FUTEX', 'EPOLL', 'SIGNALFD'],
  ...['TIMERFD', 'EVENTFD', 'POSIX_TIMERS', 'HIGH_RES_TIMERS', 'NO_HZ_IDLE', 'FILE_LOCKING'],
  ...['ADVISE_SYSCALLS', 'MEMBARRIER', 'NET', 'UNIX', 'MODULES'],
  ...['PROC_FS', 'PROC_SYSCTL', 'PROC_PAGE_MONITOR', 'SYSFS', 'DEVTMPFS', 'TMPFS', 'EXT4_FS'],
  // Memory.
  ...['SPARSEMEM_VMEMMAP', 'SWAP', 'SHMEM', 'COMPACTION', 'MIGRATION', 'TRANSPARENT_HUGEPAGE'],
  ...['HUGETLBFS', 'KSM', 'CGROUPS', 'MEMCG', 'VM_EVENT_COUNTERS'],
  ...['ZRAM', 'ZRAM_BACKEND_LZO', 'CRYPTO', 'CRYPTO_LZO'],
  // What it says of itself in RAM.
  ...['KALLSYMS', 'DEBUG_KERNEL', 'KALLSYMS_ALL', 'KEXEC', 'CRASH_DUMP'],
];

/** Builds the kernel unless one is there, and returns its package name. */
export function buildKernel(log, flavour) {
  const present = newestKernelPackage(builtSeries, flavour);
  if (present !== undefined) {
    log(`kernel: ${present} is in ${kernelCacheFolder()}`);
    return present;
  }
  mkdirSync(kernelCacheFolder(), { recursive: true });
  const work = mkdtempSync(join(kernelCacheFolder(), 'build-'));
  try {
    const source = unpackSource(log, work);
    log(`kernel: building ${SERIES}, ${flavour}, which takes some minutes`);
    const built = build(source, work, flavour);
    renameSync(built.folder, join(kernelCacheFolder(), built.packageName));
    return built.packageName;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function unpackSource(log, work) {
  const archive = new DebianArchive(SUITES);
  if (!archive.isKnown) {
    archive.refresh(log);
  }
  const packageName = `linux-source-${SERIES}`;
  let fileName;
  try {
    fileName = archive.download(packageName, work);
  } catch (error) {
    // Lists that are too old name versions that the archive has dropped since.
    if (!(error instanceof SetupError)) {
      throw error;
    }
    archive.refresh(log);
    fileName = archive.download(packageName, work);
  }
  run('dpkg-deb', ['-x', fileName, 'source'], { cwd: work });
  const folder = join(work, 'source', 'usr', 'src');
  run('tar', ['-xf', `${packageName}.tar.xz`], { cwd: folder });
  return join(folder, packageName);
}

function build(source, work, flavour) {
  const output = join(work, 'output');
  const folder = join(work, 'package');
  mkdirSync(output);
  const wanted = [...COMMON_OPTIONS, ...OPTIONS[flavour]].map((name) => `CONFIG_${name}=y`);
  const wishes = join(output, 'wishes');
  writeFileSync(wishes, [...wanted, `CONFIG_LOCALVERSION="-${flavour}-amd64"`, ''].join('\n'));
  const make = (...words) =>
    run('make', ['-s', `O=${output}`, `-j${availableParallelism()}`, ...words], {
      cwd: source,
      env: { KCONFIG_ALLCONFIG: wishes },
    });
  make('allnoconfig');
  const chosen = new Set(readFileSync(join(output, '.config'), 'utf8').split('\n'));
  const missing = wanted.filter((line) => !chosen.has(line));
  if (missing.length > 0) {
    throw new SetupError(
      `${SERIES} has not taken ${missing.join(', ')}: has an option been renamed?`,
    );
  }
  make('bzImage', 'modules');
  const release = make('kernelrelease').trim();
  const modules = join(folder, 'lib', 'modules', release);
  mkdirSync(join(folder, 'boot'), { recursive: true });
  cpSync(
    join(output, 'arch', 'x86', 'boot', 'bzImage'),
    join(folder, 'boot', `vmlinuz-${release}`),
  );
  make(`INSTALL_MOD_PATH=${folder}`, 'modules_install');
  if (!existsSync(join(modules, 'modules.builtin'))) {
    throw new SetupError(`the build of ${release} has left no ${modules}/modules.builtin`);
  }
  rmSync(join(modules, 'build'), { force: true });
  run('depmod', ['-b', folder, release]);
  return { folder, packageName: `linux-image-${release}` };
}
