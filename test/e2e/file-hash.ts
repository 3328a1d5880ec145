// SHA-256 of a file, by another way than the program under test takes.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export async function sha256Of(path: string): Promise<string> {
  const { stdout } = await promisify(execFile)('sha256sum', ['--', path]);
  return stdout.slice(0, 64);
}
