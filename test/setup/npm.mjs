// What npm does for a fresh checkout: dependencies, then the compiled form of the
// sources. Each is left alone while it is newer than what it is made from.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { run, SetupError } from './command.mjs';

/** Node itself cannot be installed from here; say so before anything else fails. */
export function checkNode(log, repository) {
  const { engines } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  const [majorMin, minorMin] = engines.node.match(/\d+/g).map(Number);
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < majorMin || (major === majorMin && minor < minorMin)) {
    throw new SetupError(`expected Node ${engines.node}, found ${process.versions.node}`);
  }
  log(`node: ${process.versions.node}`);
}

export function installDependencies(log, repository) {
  // npm's own note of what it installed, and when.
  const installed = join(repository, 'node_modules', '.package-lock.json');
  const lock = join(repository, 'package-lock.json');
  if (existsSync(installed) && modifiedMs(installed) >= modifiedMs(lock)) {
    log('npm: node_modules is up to date');
    return;
  }
  log('npm: running npm ci');
  run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: repository });
}

export function build(log, repository) {
  const sources = [
    ...['src', 'introspect', 'build', 'package.json'],
    ...['asconfig.json', 'tsconfig.json', 'tsconfig.build.json'],
  ];
  const newestSourceMs = Math.max(...sources.map((name) => newestMs(join(repository, name))));
  if (newestMs(join(repository, 'dist')) >= newestSourceMs) {
    log('build: dist is up to date');
    return;
  }
  log('build: running npm run build');
  run('npm', ['run', 'build'], { cwd: repository });
}

/** When the newest of all files below was changed; 0 when there are none. */
function newestMs(path) {
  if (!existsSync(path)) {
    return 0;
  }
  if (!statSync(path).isDirectory()) {
    return modifiedMs(path);
  }
  return Math.max(0, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}

function modifiedMs(path) {
  return statSync(path).mtimeMs;
}
