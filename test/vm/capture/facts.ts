// What a QEMU of today says of a small VM, for tests that change a part of it.
import type { VmDisk, VmFacts } from '../../../src/vm/capture/vm-facts.js';

export const someDisk: VmDisk = {
  qomPath: '/machine/peripheral/disk0',
  nodeName: 'disk0',
  name: 'disk0',
  sourcePath: '/disk0.img',
  sourceFormat: 'raw',
  layers: [{ path: '/disk0.img', format: 'raw' }],
  driveId: '',
  deviceId: 'disk0',
  isEncrypted: false,
  sizeBytes: 2 ** 30,
  allocatedBytes: 2 ** 28,
};

export const someFacts: VmFacts = {
  qemuVersion: '7.2.0',
  deviceIds: ['disk0'],
  status: 'running',
  ramSizeBytes: 2 ** 29,
  backgroundSnapshot: undefined,
  diskExports: undefined,
  mappedRam: undefined,
  sharedRam: { path: '/ram' },
  disks: [someDisk],
  leftOut: [],
  settings: { capabilities: {}, parameters: {} },
};
