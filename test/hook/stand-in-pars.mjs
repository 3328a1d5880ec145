// Stands in for `pars` where the store is not the question: a "store" is a folder with a file per snapshot, which comes
// into view by a rename. `behaviour.json` in it says how an upload ends and how long it takes; calls are written down.
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const store = fileURLToPath(process.env.PARS_STORE);
const [command, ...words] = process.argv.slice(2);
const option = (name) => words[words.indexOf(name) + 1];
const behaviourPath = join(store, 'behaviour.json');
const behaviour = existsSync(behaviourPath) ? JSON.parse(readFileSync(behaviourPath, 'utf8')) : {};
mkdirSync(store, { recursive: true });
appendFileSync(join(store, 'calls'), `${JSON.stringify([command, ...words])}\n`);

if (behaviour.awayExitCode !== undefined) {
  process.stderr.write('pars: the store is away\n');
  process.exit(behaviour.awayExitCode);
}
switch (command) {
  case 'upload': {
    const folder = option('--captured');
    const { vm, createdMs, image } = JSON.parse(
      readFileSync(join(folder, 'captured.json'), 'utf8'),
    );
    const bytes = readFileSync(join(folder, image.file));
    const lock = join(store, `uploading-${vm}`);
    if (existsSync(lock)) {
      appendFileSync(join(store, 'overlaps'), `${vm}\n`);
    }
    writeFileSync(lock, '');
    await sleep(behaviour.beforeMs ?? 0);
    const exitCode = behaviour.exitCodeByVm?.[vm] ?? behaviour.exitCode ?? 0;
    if (![0, 20, 21, 22].includes(exitCode)) {
      renameSync(lock, `${lock}.ended`);
      process.stderr.write(`pars: ended as the test wants, with ${exitCode}\n`);
      process.exit(exitCode);
    }
    const id = randomBytes(8).toString('hex');
    const part = join(store, `${id}.part`);
    const created = new Date(createdMs).toISOString();
    writeFileSync(part, JSON.stringify({ id, vm, created, content: bytes.toString('latin1') }));
    renameSync(part, join(store, `${id}.snapshot`));
    await sleep(behaviour.afterMs ?? 0);
    renameSync(lock, `${lock}.ended`);
    process.stdout.write(
      `${JSON.stringify({ id, vm, planned: { savingFraction: 0.25 }, stored: { chosenBytes: 3000 } })}\n`,
    );
    process.exit(exitCode);
  }
  case 'list': {
    const snapshots = readdirSync(store)
      .filter((name) => name.endsWith('.snapshot'))
      .map((name) => JSON.parse(readFileSync(join(store, name), 'utf8')));
    process.stdout.write(
      `${JSON.stringify(snapshots.map(({ id, vm, created }) => ({ id, vm, created })))}\n`,
    );
    break;
  }
  case 'forget':
    process.exit(behaviour.forgetExitCode ?? 0);
}
