// A file counts as a VM's RAM when its QEMU has that very file mapped, and not for its name.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mappedRamFile } from '../../../src/vm/live/mapped-ram-file.js';

const ramSizeBytes = 16 * 2 ** 20;
const startTimeoutMs = 30_000;

let folder: string;
let qemu: ChildProcess;
let ended: Promise<unknown>;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pars-mapped-'));
  const ram = join(folder, 'ram');
  qemu = spawn(
    'setpriv',
    [
      ...['--pdeathsig', 'KILL', 'qemu-system-x86_64', '-nodefaults', '-display', 'none', '-S'],
      ...['-accel', 'tcg', '-m', '16M', '-machine', 'pc,memory-backend=m'],
      ...['-object', `memory-backend-file,id=m,size=16M,mem-path=${ram},share=on`],
      ...['-qmp', `unix:${join(folder, 'qmp')},server=on,wait=off`],
    ],
    { stdio: 'ignore' },
  );
  ended = once(qemu, 'exit');
  const deadlineMs = Date.now() + startTimeoutMs;
  while (!existsSync(join(folder, 'qmp'))) {
    if (Date.now() > deadlineMs) throw new Error('QEMU does not start');
    await sleep(50);
  }
});
afterEach(async () => {
  qemu.kill('SIGKILL');
  await ended;
  rmSync(folder, { recursive: true });
});

test('the file that QEMU has mapped is it; one of the same name and size is not', () => {
  const path = join(folder, 'ram');
  const asked = { sharedRam: { path }, ramSizeBytes };
  expect(mappedRamFile(asked, qemu.pid)).toEqual({ path });
  expect(mappedRamFile(asked, undefined)).toEqual({
    missing: expect.stringMatching(/nothing shows that/) as string,
  });
  expect(mappedRamFile({ ...asked, ramSizeBytes: 1 }, qemu.pid)).toEqual({
    missing: expect.stringMatching(/it has 16777216 bytes/) as string,
  });
  unlinkSync(path);
  expect(mappedRamFile(asked, qemu.pid)).toEqual({
    missing: expect.stringMatching(/there is none/) as string,
  });
  writeFileSync(path, '');
  truncateSync(path, ramSizeBytes);
  expect(statSync(path).size).toBe(ramSizeBytes);
  expect(mappedRamFile(asked, qemu.pid)).toEqual({
    missing: expect.stringMatching(/nothing shows that/) as string,
  });
  unlinkSync(path);
  mkdirSync(path);
  expect(mappedRamFile(asked, qemu.pid)).toEqual({
    missing: expect.stringMatching(/it is no file/) as string,
  });
});
