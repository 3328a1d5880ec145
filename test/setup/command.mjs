// Runs the programs that make a machine ready. Silent while all goes well; when
// one fails, what it said becomes part of the message.

import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** npm says at the beginning what is wrong, apt at the end. */
const WORDS_SHOWN_CHARACTERS = 1500;

/** What its reader can do something about; shown without a stack. */
export class SetupError extends Error {}

/** Standard output of the program. Throws at any exit status but 0. */
export function run(program, programArguments, options = {}) {
  const result = spawnSync(program, programArguments, {
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    // sudo may have to ask for a password.
    stdio: ['inherit', 'pipe', 'pipe'],
    ...options,
    env: { ...process.env, PATH: searchPath(), ...options.env },
  });
  const line = [program, ...programArguments].join(' ');
  if (result.error) {
    throw new SetupError(`cannot run ${line}: ${result.error.message}`);
  }
  if (result.status !== 0) {
    const words = shorten(`${result.stdout}\n${result.stderr}`.trim());
    throw new SetupError(`${line} ended with ${result.status ?? result.signal}:\n${words}`);
  }
  return result.stdout;
}

function shorten(words) {
  if (words.length <= 2 * WORDS_SHOWN_CHARACTERS) {
    return words;
  }
  const head = words.slice(0, WORDS_SHOWN_CHARACTERS);
  return `${head}\n[...]\n${words.slice(-WORDS_SHOWN_CHARACTERS)}`;
}

export function hasProgram(program) {
  return searchPath()
    .split(delimiter)
    .some((folder) => isExecutable(join(folder, program)));
}

export function isRoot() {
  return process.getuid() === 0;
}

/** Runs as root, through sudo where need be. */
export function runAsRoot(program, programArguments, why) {
  if (isRoot()) {
    return run(program, programArguments);
  }
  if (!hasProgram('sudo')) {
    throw new SetupError(
      `${why} needs root, and there is no sudo; as root, run: ${[program, ...programArguments].join(' ')}`,
    );
  }
  return run('sudo', [program, ...programArguments]);
}

/** mke2fs and depmod lie where only root's search path leads. */
function searchPath() {
  return [process.env.PATH, '/usr/sbin', '/sbin'].filter(Boolean).join(delimiter);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
