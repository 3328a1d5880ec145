// Memory that is plugged into a running VM: it is part of the snapshot, and that the command line lacks it is said.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openImage } from '../../../introspect/memory/open-image-file.js';
import { type Capture, captureVm } from '../../../src/vm/capture/capture.js';
import { startBareQemu } from '../../guest/bare-qemu.js';
import type { QemuProcess } from '../../guest/qemu-process.js';
import { Qmp } from '../../guest/qmp.js';

const mib = 2 ** 20;
const mainMib = 64;
const dimmMib = 128;

let folder: string;
let qmpPath: string;
let qemu: QemuProcess;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pars-plugged-'));
  qmpPath = join(folder, 'qmp');
  qemu = await startBareQemu(qmpPath, [
    ...['-machine', 'pc', '-m', `${mainMib}M,slots=2,maxmem=1G`],
    ...['-device', 'virtio-balloon-pci,id=balloon0'],
    ...['-qmp', `unix:${qmpPath},server=on,wait=off`],
  ]);
});
afterEach(async () => {
  await qemu.close();
  rmSync(folder, { recursive: true });
});

async function plugIn(id: string): Promise<void> {
  const qmp = await Qmp.connect(qmpPath);
  const memdev = `${id}-memory`;
  const size = dimmMib * mib;
  await qmp.execute('object-add', { 'qom-type': 'memory-backend-ram', id: memdev, size });
  await qmp.execute('device_add', { driver: 'pc-dimm', id, memdev });
  qmp.close();
}

function captured(name: string): Promise<Capture> {
  return captureVm({ qmpPath, folder: join(folder, name) });
}

test('one DIMM is in the snapshot, and where it lies is for the kernel to say; of two, nobody can', async () => {
  expect((await captured('none')).changedDevices).toEqual({ added: [], removed: [] });
  for (const [index, dimm] of ['dimm0', 'dimm1'].entries()) {
    await plugIn(dimm);
    const { imagePath, changedDevices } = await captured(dimm);
    const image = openImage(imagePath);
    const { sizeBytes } = image.views[0];
    const { unsupported } = image;
    image.close();
    expect(sizeBytes).toBe((mainMib + (index + 1) * dimmMib) * mib);
    expect(changedDevices).toEqual({
      added: ['dimm0', 'dimm1'].slice(0, index + 1),
      removed: [],
    });
    if (index === 0) {
      expect(unsupported).toBeUndefined();
    } else {
      expect(unsupported).toMatch(/in several blocks .*dump-guest-memory .*IMAGE\.map\.json/);
    }
  }
});
