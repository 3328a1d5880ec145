// What was plugged in or taken out since QEMU was started.
import { changedDevices } from '../../src/vm/changed-devices.js';

const command = (...devices: readonly string[]) => ({
  program: 'qemu-system-x86_64',
  options: devices.map((value) => ({ name: 'device', value })),
});

test.each([
  ['nothing changed', command('virtio-blk-pci,id=vda', 'e1000'), ['vda'], [], []],
  ['a DIMM came', command('virtio-blk-pci,id=vda'), ['vda', 'dimm1'], ['dimm1'], []],
  ['a card went', command('{"driver":"e1000","id":"net0"}'), [], [], ['net0']],
  ['one in the place of another', command('e1000,id=a'), ['b'], ['b'], ['a']],
])('%s', (_, machine, ids, added, removed) => {
  expect(changedDevices(machine, ids)).toEqual({ added, removed });
});

test('what stands in a file that QEMU read is not known', () => {
  const machine = { program: 'qemu', options: [{ name: 'readconfig', value: '/etc/vm.cfg' }] };
  expect(changedDevices(machine, ['vda'])).toEqual({ added: [], removed: [] });
});
