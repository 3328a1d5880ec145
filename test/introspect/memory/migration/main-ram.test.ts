// Which blocks of a stream are the guest's memory, and which is the machine's own: by its name, and not by who is largest.
import {
  guestRamOf,
  mainRamOf,
  pluggedRamOf,
} from '../../../../introspect/memory/migration/main-ram.js';

const mib = 2 ** 20;
const block = (name: string, sizeMib: number) => ({ name, sizeBytes: sizeMib * mib });
const names = (blocks: readonly { readonly name: string }[]) => blocks.map(({ name }) => name);
const devices = [
  ...[block('0000:00:02.0/vga.vram', 256), block('system.flash0', 256), block('pc.bios', 1)],
  block('/rom@etc/acpi/tables', 1),
];

test.each([
  ['alone', [block('ram0', 512)], ['ram0'], []],
  ['under its own name', [block('pc.ram', 512)], ['pc.ram'], []],
  [
    'beside a DIMM as large, which comes first',
    [block('dimm0', 512), block('pc.ram', 512)],
    ['pc.ram'],
    ['dimm0'],
  ],
  [
    'beside virtio-mem that is larger',
    [block('vmem0', 4096), block('pc.ram', 512)],
    ['pc.ram'],
    ['vmem0'],
  ],
  [
    "in libvirt's nodes",
    [block('ram-node1', 512), block('ram-node0', 256), block('dimm0', 512)],
    ['ram-node0', 'ram-node1'],
    ['dimm0'],
  ],
  [
    'in nodes of other names, or beside a DIMM: nobody can say',
    [block('mem0', 512), block('mem1', 512)],
    ['mem0'],
    ['mem1'],
  ],
])('%s', (_, blocks, main, plugged) => {
  const all = [...blocks, ...devices];
  expect(names(mainRamOf(all))).toEqual(main);
  expect(names(pluggedRamOf(all))).toEqual(plugged);
  expect(names(guestRamOf(all))).toEqual([...main, ...plugged]);
});
