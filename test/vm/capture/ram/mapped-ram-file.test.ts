// A file counts as a VM's RAM when its QEMU has that very file mapped, and not for its name.
import {
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
import { mappedRamFile } from '../../../../src/vm/capture/ram/mapped-ram-file.js';
import { startBareQemu } from '../../../guest/bare-qemu.js';
import type { QemuProcess } from '../../../guest/qemu-process.js';

const ramSizeBytes = 16 * 2 ** 20;

let folder: string;
let qemu: QemuProcess;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pars-mapped-'));
  const monitor = join(folder, 'qmp');
  qemu = await startBareQemu(monitor, [
    ...['-S', '-m', '16M', '-machine', 'pc,memory-backend=m'],
    ...['-object', `memory-backend-file,id=m,size=16M,mem-path=${join(folder, 'ram')},share=on`],
    ...['-qmp', `unix:${monitor},server=on,wait=off`],
  ]);
});
afterEach(async () => {
  await qemu.close();
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
