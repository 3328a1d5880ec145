// Finds the Debian kernel that test/setup/prepare.mjs unpacked into the user's
// cache, and works out which module files a guest must load, in which order.
// Nothing is installed and nothing is fetched here: tests run offline.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { kernelCacheFolder } from '../setup/cache-folder.mjs';
import { type KernelFlavour, newestKernelPackage } from '../setup/kernel.mjs';

export interface KernelPackage {
  /** For instance `6.1.0-56-cloud-amd64`. */
  readonly release: string;
  readonly imagePath: string;
  readonly modulesFolder: string;
}

/**
 * The newest unpacked kernel of the flavour whose release begins with `releasePrefix`; without one, of the series
 * that most tests boot.
 */
export function findKernelPackage(
  releasePrefix?: string,
  flavour: KernelFlavour = 'cloud',
): KernelPackage {
  const folder = kernelCacheFolder();
  const packageName = newestKernelPackage(releasePrefix, flavour);
  if (packageName === undefined) {
    const unpacked = existsSync(folder) ? readdirSync(folder).join(', ') : '';
    throw new Error(
      `expected an unpacked ${flavour} linux-image-${releasePrefix ?? ''}* in ${folder}, ` +
        `found ${unpacked || 'nothing'}; run: node test/setup/prepare.mjs` +
        (flavour === 'cloud' ? ` --kernel=${releasePrefix ?? ''}` : ' --matrix'),
    );
  }
  const release = packageName.slice('linux-image-'.length);
  return {
    release,
    imagePath: join(folder, packageName, 'boot', `vmlinuz-${release}`),
    modulesFolder: join(folder, packageName, 'lib', 'modules', release),
  };
}

export interface KernelModule {
  readonly fileName: string;
  readonly content: Buffer;
}

/**
 * The wanted modules and all they need, in loading order. Names that are built
 * into this kernel need no file and are left out; what is one kernel's module is
 * another one's built-in.
 */
export function loadModules(kernel: KernelPackage, wanted: readonly string[]): KernelModule[] {
  const dependencies = readDependencies(kernel);
  const softDependencies = readSoftDependencies(kernel);
  const paths = new Map([...dependencies.keys()].map((path) => [moduleName(path), path]));
  const builtIn = new Set(readList(kernel, 'modules.builtin').map(moduleName));
  const ordered = new Set<string>();
  const addWithNeeds = (path: string) => {
    if (ordered.has(path)) {
      return;
    }
    // modules.dep lists the nearest dependency first and the whole closure, so
    // backwards is a loading order.
    for (const dependency of (dependencies.get(path) ?? []).toReversed()) {
      addWithNeeds(dependency);
    }
    for (const name of softDependencies(moduleName(path))) {
      const softPath = paths.get(name);
      if (softPath !== undefined) {
        addWithNeeds(softPath);
      }
    }
    ordered.add(path);
  };
  for (const name of wanted) {
    if (builtIn.has(name)) {
      continue;
    }
    const path = paths.get(name);
    if (path === undefined) {
      throw new Error(
        `expected module ${name} in kernel ${kernel.release}, found it neither as a file nor built in`,
      );
    }
    addWithNeeds(path);
  }
  return [...ordered].map((path) => ({
    fileName: `${moduleName(path)}.ko`,
    content: readModule(join(kernel.modulesFolder, path)),
  }));
}

/** What a module asks for by a name that several may answer to, a checksum for one. Of those the last, which any CPU can run. */
function readSoftDependencies(kernel: KernelPackage): (name: string) => string[] {
  const words = (fileName: string) => readList(kernel, fileName).map((line) => line.split(' '));
  const wants = words('modules.softdep').filter(([, , when]) => when === 'pre:');
  const aliases = new Map(words('modules.alias').map(([, alias, name]) => [alias, name]));
  return (module) =>
    wants
      .filter(([, name]) => name === module)
      .flatMap(([, , , ...names]) => names)
      .map((name) => aliases.get(name) ?? moduleName(name));
}

function readList(kernel: KernelPackage, fileName: string): string[] {
  return readFileSync(join(kernel.modulesFolder, fileName), 'utf8').split('\n');
}

function readDependencies(kernel: KernelPackage): Map<string, string[]> {
  const dependencies = new Map<string, string[]>();
  for (const line of readList(kernel, 'modules.dep')) {
    const colon = line.indexOf(':');
    if (colon === -1) {
      continue;
    }
    dependencies.set(
      line.slice(0, colon),
      line
        .slice(colon + 1)
        .split(' ')
        .filter(Boolean),
    );
  }
  return dependencies;
}

/** `kernel/fs/ext4/ext4.ko.xz` is module `ext4`; files spell `-` where names have `_`. */
function moduleName(path: string): string {
  return basename(path)
    .replace(/\.ko(\.\w+)?$/, '')
    .replaceAll('-', '_');
}

/** busybox insmod takes plain ELF only; newer Debian kernels ship theirs as .ko.xz. */
function readModule(path: string): Buffer {
  if (!path.endsWith('.xz')) {
    return readFileSync(path);
  }
  return execFileSync('xz', ['--decompress', '--stdout', path], { maxBuffer: 64 << 20 });
}
