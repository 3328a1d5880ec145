import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readMachineFile } from '../../src/vm/machine-file.js';
import { maxMachineBytes, parseQemuCommand } from '../../src/vm/qemu/qemu-command.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pars-machine-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

test("a process's command line is read although its file has no size", async () => {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  try {
    await once(child, 'spawn');
    const bytes = await readMachineFile(`/proc/${child.pid ?? 0}/cmdline`);
    expect(bytes).toEqual(Uint8Array.from(Buffer.from('sleep\x001000\0')));
    expect(parseQemuCommand(bytes, 'x').program).toBe('sleep');
  } finally {
    child.kill();
  }
});

test('what is no machine is refused before it is kept', async () => {
  const path = join(folder, 'machine');
  await expect(readMachineFile(path)).rejects.toMatchObject({ code: 'not-found' });
  await expect(readMachineFile(folder)).rejects.toMatchObject({ code: 'unavailable' });
  await writeFile(path, 'qemu -m 1G');
  await expect(readMachineFile(path)).rejects.toMatchObject({ code: 'usage' });
  await writeFile(path, Buffer.alloc(2 * maxMachineBytes));
  await expect(readMachineFile(path)).rejects.toThrow(/more than 1048576 bytes/);
});
