// Runs one bench by name, with all that it needs set up before: `npm run bench -- labelling 5`.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const here = import.meta.dirname;
const [name, ...rest] = process.argv.slice(2);
const file = name === undefined ? undefined : join(here, `${name}.ts`);
if (file === undefined || !existsSync(file)) {
  const names = readdirSync(here).filter((entry) => entry.endsWith('.ts'));
  console.error(`expected the name of a bench; files in bench/: ${names.join(', ')}`);
  process.exit(2);
}
for (const args of [
  [join(here, '../test/setup/prepare.mjs'), '--hdfs', '--bench'],
  [join(here, '../node_modules/tsx/dist/cli.mjs'), file, ...rest],
]) {
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) {
    process.exit(status ?? 1);
  }
}
