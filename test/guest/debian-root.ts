// Programs of this machine's Debian with the libraries they need, as a folder that a guest can make its root. Everything
// lies where the dynamic loader looks without being told; symbolic links become what they point to.

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** debian.sh runs all but `bash` and `sort`: survival.sh starts those for the first time. */
const PROGRAMS = ['bash', 'cat', 'dash', 'mawk', 'perl', 'sha256sum', 'sleep', 'sort', 'sqlite3'];
const EMPTY_FOLDERS = ['database', 'dev', 'run', 'tmp'];

export function makeDebianRoot(folder: string): void {
  for (const name of EMPTY_FOLDERS) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  const programs = PROGRAMS.map((name) => `/usr/bin/${name}`);
  for (const path of new Set([...programs, ...programs.flatMap(librariesOf)])) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    copyFileSync(path, join(folder, path));
  }
}

/** With the loader. Lines read `libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f...)`, or begin with the path. */
function librariesOf(program: string): string[] {
  const lines = execFileSync('ldd', [program], { encoding: 'utf8' });
  return [...lines.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path);
}
