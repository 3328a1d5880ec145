// Compressors as programs of this machine: peers, whose word on a file's length is final.
import { spawn, spawnSync } from 'node:child_process';

export function isInstalled(program: string): boolean {
  return spawnSync(program, ['--version']).status === 0;
}

/** `test`, or where the program is missing a skipped one: give the program in the test's name. */
export function testWith(program: string): jest.It {
  return isInstalled(program) ? test : test.skip;
}

/** How many bytes the program makes of the file. */
export async function compressedBytes(
  program: string,
  programArguments: readonly string[],
  path: string,
): Promise<number> {
  const child = spawn(program, [...programArguments, '-q', '-c', path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  let sizeBytes = 0;
  for await (const piece of child.stdout) {
    sizeBytes += (piece as Buffer).length;
  }
  const exitCode = await ended;
  if (exitCode !== 0) {
    throw new Error(`${program} ended with ${String(exitCode)}`);
  }
  return sizeBytes;
}
