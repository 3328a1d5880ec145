// Which of a stream's RAM blocks are the guest's memory, as opposed to video memory, firmware and tables; and which of those
// the machine itself has, as opposed to memory that was plugged in beside it. A stream says of no block where it lies.
import type { RamBlock } from './types.js';

type Block = Pick<RamBlock, 'name' | 'sizeBytes'>;

/** As machines name RAM that they were given no backend for: pc.ram. (QEMU hw/core/machine.c, default_ram_id) */
const ownName = /^[a-z][a-z0-9_-]*\.ram$/;
/** Devices: by their PCI address, and firmware. All else is a backend that somebody named. */
const deviceName =
  /^[0-9a-f]{4}:|^\/rom@|^system\.flash|^pc\.(?:bios|rom)$|^isa-|^acpi|vram|\.rom|^vga/i;
/** Linux plugs memory in by 128 MiB; what is smaller is a device's. */
const pluggedSizeBytes = 128 * 2 ** 20;

/** As libvirt names the memory of NUMA nodes. The machine has it in the order of their numbers. */
const nodeName = /^ram-node(\d+)$/;

/** What an image is made of: the machine's own RAM, then what is plugged in, in the stream's order. Not empty. */
export function guestRamOf<T extends Block>(blocks: readonly T[]): readonly T[] {
  return [...mainRamOf(blocks), ...pluggedRamOf(blocks)];
}

/** In the order of the machine's addresses. Not empty. */
export function mainRamOf<T extends Block>(blocks: readonly T[]): readonly T[] {
  const nodes = blocks
    .flatMap((block) => {
      const number = nodeName.exec(block.name)?.[1];
      return number === undefined ? [] : [{ block, number: Number(number) }];
    })
    .sort((a, b) => a.number - b.number)
    .map(({ block }) => block);
  if (nodes.length > 0) {
    return nodes;
  }
  const own = blocks.find(({ name }) => ownName.test(name));
  return [own ?? blocks.reduce((best, block) => (block.sizeBytes > best.sizeBytes ? block : best))];
}

/** Blocks that may be memory of the guest's beside what is taken for the machine's RAM: a DIMM's, virtio-mem's, a node's. */
export function pluggedRamOf<T extends Block>(blocks: readonly T[]): readonly T[] {
  const main: readonly Block[] = mainRamOf(blocks);
  return blocks.filter(
    (block) =>
      !main.includes(block) && block.sizeBytes >= pluggedSizeBytes && !deviceName.test(block.name),
  );
}
