// The hook script for vzdump, called as vzdump calls it, on a real VM.

import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readCaptured } from '../../src/spool/captured.js';
import { bootGuest, type Guest } from '../guest/guest.js';
import { parsMain } from './pars-command.js';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.js';

const SET_UP_TIMEOUT_MS = 240_000;
const hookScript = fileURLToPath(
  new URL('../../src/hook/shipped/proxmox/vzdump-hook', import.meta.url),
);

let folder: TemporaryFolder;
let guest: Guest;
let spoolPath: string;

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  spoolPath = join(folder.path, 'spool');
  mkdirSync(join(folder.path, 'bin'));
  guest = await bootGuest({ workload: 'programs', ramSizeMib: 256, vcpuCount: 1 });
  const config = join(folder.path, 'pars.yaml');
  // Nobody listens there, so what is taken stays in the spool.
  writeFileSync(config, `store: webhdfs://127.0.0.1:1/pars\nspool: { path: ${spoolPath} }\n`);
  const program = join(folder.path, 'bin', 'pars');
  // The socket is the one thing that is not where Proxmox has it.
  writeFileSync(
    program,
    `#!/bin/sh
[ "$1 $2" = 'hook proxmox' ] && shift 2 && set -- hook proxmox --qmp "$QMP" "$@"
PARS_CONFIG='${config}' exec '${process.execPath}' '${parsMain}' "$@"
`,
  );
  chmodSync(program, 0o755);
}, SET_UP_TIMEOUT_MS);

afterAll(async () => {
  await guest.close();
  await folder.remove();
});

/** What vzdump would write into the backup's log. Rejects when the script fails, as vzdump stops the backup then. */
async function callHook(words: readonly string[], qmpPath = guest.qmpSocketPath): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(hookScript, words, {
    env: {
      PATH: `${join(folder.path, 'bin')}:${process.env['PATH'] ?? ''}`,
      QMP: qmpPath,
      VMTYPE: 'qemu',
      HOSTNAME: 'web',
      DUMPDIR: folder.path,
      STOREID: 'local',
    },
  });
  return stdout + stderr;
}

function entries(): readonly string[] {
  const path = join(spoolPath, 'entries');
  return existsSync(path) ? readdirSync(path) : [];
}

test('a backup in the mode snapshot gives a snapshot of the running VM, once', async () => {
  const checksums = await guest.checksums();
  await callHook(['job-start']);
  await callHook(['backup-start', 'snapshot', '105']);
  for (const phase of ['pre-restart', 'post-restart', 'backup-end', 'log-end']) {
    await callHook([phase, 'snapshot', '105']);
  }
  await callHook(['job-end']);
  expect(entries()).toHaveLength(1);
  const captured = await readCaptured(join(spoolPath, 'entries', entries()[0]));
  expect(captured).toMatchObject({ vm: 'web', source: 'proxmox' });
  expect(captured.disks).toHaveLength(2);
  expect(await guest.checksums()).toEqual(checksums);
});

test('a backup goes on when the VM cannot be reached, and its log says so', async () => {
  const before = entries();
  const said = await callHook(['backup-start', 'snapshot', '105'], join(folder.path, '%.qmp'));
  expect(said).toMatch(/the backup goes on without it: /);
  expect(said).toContain('105.qmp');
  expect(entries()).toEqual(before);
});
