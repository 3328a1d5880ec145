// RAM of a VM that has one device of hot-plugged memory (DIMM or virtio-mem), joined into one file behind the main RAM. The
// file says neither where one ends and the other begins, nor where the device's part lies. QEMU has a rule for the second
// (hw/i386/pc.c, pc_get_device_memory_range); the kernel inside has the last word on both (kernel/system-ram.ts).
//
// With two devices nothing would show in which order they were joined, so only one is placed.
import { rawFileLayouts } from '../memory/formats/raw-file.js';
import type { Gpa, MemoryRegion } from '../memory/physical-memory.js';
import type { RamRange } from './system-ram.js';

const gib = 2 ** 30;
const fourGiB = 4 * gib;
/** Linux takes hot-plugged memory in whole sections (SECTION_SIZE_BITS 27). */
const sectionBytes = 2 ** 27;
/** Each is tried with the kernel, which takes a part of a second; larger files have larger devices. */
const sizesTried = 64;
/** Firmware keeps its tables at the end of low RAM. */
const firmwareLimitBytes = 16 * 2 ** 20;

/** The layouts in which the device has RAM at `missing`, or up to there; smallest device first. */
export function layoutsWithHotPlugged(
  sizeBytes: number,
  missing: Gpa,
): readonly (readonly MemoryRegion[])[] {
  const stepBytes = Math.ceil(sizeBytes / sizesTried / sectionBytes) * sectionBytes;
  const layouts: (readonly MemoryRegion[])[] = [];
  for (let deviceBytes = stepBytes; deviceBytes < sizeBytes; deviceBytes += stepBytes) {
    const mainBytes = sizeBytes - deviceBytes;
    for (const main of rawFileLayouts(mainBytes)) {
      const mainEnd = Math.max(fourGiB, endOf(main[main.length - 1]));
      const gpaStart = Math.ceil(mainEnd / gib) * gib;
      if (missing >= gpaStart && missing <= gpaStart + deviceBytes) {
        layouts.push([...main, { gpaStart, sizeBytes: deviceBytes, imageOffset: mainBytes }]);
      }
    }
  }
  return layouts;
}

/** Whether this is where the kernel has RAM: the last region is one device, and all others are the machine's own. */
export function isStated(regions: readonly MemoryRegion[], ranges: readonly RamRange[]): boolean {
  const device = ranges.at(-1);
  const last = regions[regions.length - 1];
  return (
    device?.gpaStart === last.gpaStart &&
    device.sizeBytes === last.sizeBytes &&
    isAllRamOf(regions.slice(0, -1), ranges.slice(0, -1))
  );
}

/** Whether every range lies in a region, and every region ends where its last range does. */
function isAllRamOf(regions: readonly MemoryRegion[], ranges: readonly RamRange[]): boolean {
  const isPlaced = ranges.every((range) =>
    regions.some((region) => range.gpaStart >= region.gpaStart && endOf(range) <= endOf(region)),
  );
  const isFull = regions.every((region) => {
    const last = ranges.findLast((range) => range.gpaStart < endOf(region));
    const missingBytes = last === undefined ? Infinity : endOf(region) - endOf(last);
    return missingBytes <= (region.gpaStart < fourGiB ? firmwareLimitBytes : 0);
  });
  // Above the hole all RAM of the machine itself is one range: a second one is another device.
  const aboveHole = (entry: RamRange): boolean => entry.gpaStart >= fourGiB;
  return isPlaced && isFull && ranges.filter(aboveHole).length === regions.filter(aboveHole).length;
}

function endOf({ gpaStart, sizeBytes }: RamRange): number {
  return gpaStart + sizeBytes;
}
