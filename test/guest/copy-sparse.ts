// Copies a large file without writing its holes, sharing blocks where the file
// system can. cp(1) knows how; Node's copyFile would fill the holes.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export async function copySparse(fromPath: string, toPath: string): Promise<void> {
  await promisify(execFile)('cp', ['--reflink=auto', '--sparse=always', '--', fromPath, toPath]);
}
