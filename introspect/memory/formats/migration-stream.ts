// QEMU's migration stream as a source of guest RAM: what `migrate exec:` and `migrate file:` write, background snapshots
// and mapped-ram files among them.
//
// The stream names RAM blocks, not addresses. As with a raw file, the size decides where a PC has its RAM, and the
// kernel found inside decides between what is left; also about the place of one DIMM or virtio-mem device.
import { ParsError } from '../../pars-error.js';
import { ImageFile } from '../image-file.js';
import { ImageView } from '../image-view.js';
import type { ImageOpener, MemoryImage } from '../memory-image.js';
import { checkEnd } from '../migration/check-end.js';
import { decodeMigrationStream } from '../migration/decode.js';
import { decodeCpus } from '../migration/decode-cpus.js';
import { maxOtherBytes, maxRamBytes } from '../migration/decode-ram.js';
import { migrationMagic } from '../migration/layout.js';
import { guestRamOf, pluggedRamOf } from '../migration/main-ram.js';
import { skeletonOf, type SkeletonPiece } from '../migration/skeleton.js';
import { StreamRam } from '../migration/stream-ram.js';
import type { MigrationStream, RamBlock } from '../migration/types.js';
import type { MemoryRegion } from '../physical-memory.js';
import { layoutByAddress, rawFileLayouts } from './raw-file.js';

/** QEMU's names for machines whose RAM lies as `rawFileLayouts` says. */
const listedBlockCount = 8;
const pcMachine = /^(pc|q35|isapc|microvm)/;

export const migrationOpener: ImageOpener = {
  format: 'migration',
  recognises: (head) => head.subarray(0, migrationMagic.length).equals(migrationMagic),
  open: (path) =>
    ImageFile.openAs(path, (file) => ({
      format: 'migration',
      ...openMigrationStream(file, 0, []),
    })),
};

/** The stream from `startOffset` to the file's end. `prefix` is what its state begins with. Takes the file over. */
export function openMigrationStream(
  file: ImageFile,
  startOffset: number,
  prefix: readonly SkeletonPiece[],
): Omit<MemoryImage, 'format'> {
  const stream = decodeMigrationStream(file, startOffset);
  if (stream.isRamElsewhere) {
    throw new ParsError(
      'unsupported',
      `${file.path}: RAM is not in the stream, which was taken with the capability x-ignore-shared; ` +
        "give the RAM's own file (QEMU's mem-path) as the image, and this one with --state",
    );
  }
  checkEnd(file, stream.rest);
  const ram = new StreamRam(file, guestRamOf(stream.blocks));
  checkSizes(file, stream, ram.sizeBytes);
  const unsupported = otherMachine(stream) ?? unknownPlaces(stream);
  const layouts =
    unsupported === undefined ? rawFileLayouts(ram.sizeBytes) : [layoutByAddress(ram.sizeBytes)];
  const viewAt = (regions: readonly MemoryRegion[]): ImageView =>
    new ImageView(
      regions,
      (imageOffset, target) => {
        ram.read(imageOffset, target);
      },
      undefined,
      (imageOffset) => ram.dataAt(imageOffset),
      (imageOffset) => ram.dataAt(imageOffset),
    );
  return {
    views: layouts.map(viewAt),
    viewAt,
    ...(unsupported === undefined ? {} : { unsupported }),
    state: skeletonOf(file, stream, prefix),
    cpus: decodeCpus(file, stream.rest),
    close: () => {
      file.close();
    },
  };
}

/** The other blocks go into the device state, and a page of zeroes there takes some bytes, however few the stream has. */
function checkSizes(file: ImageFile, { blocks }: MigrationStream, ramBytes: number): void {
  const otherBytes = blocks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) - ramBytes;
  if (ramBytes > maxRamBytes || otherBytes > maxOtherBytes) {
    throw new ParsError(
      'unsupported',
      `${file.path}: expected at most ${maxRamBytes} bytes of RAM and ${maxOtherBytes} of video memory and firmware, ` +
        `found ${ramBytes} and ${otherBytes} in the blocks ${blockList(blocks)}`,
    );
  }
}

/**
 * Why it cannot be known where the blocks of RAM lie; undefined where it can. With two blocks the kernel itself shows which
 * is which: one that is not the machine's own RAM does not lead to a kernel. With more than two nothing shows it.
 */
function unknownPlaces({ blocks }: MigrationStream): string | undefined {
  return pluggedRamOf(blocks).length <= 1
    ? undefined
    : `the stream has RAM in several blocks (${blockList(guestRamOf(blocks))}), and which of them lies where ` +
        "it does not say; QEMU's dump-guest-memory writes an ELF file that does, or raw files have IMAGE.map.json beside them";
}

function blockList(blocks: readonly Pick<RamBlock, 'name' | 'sizeBytes'>[]): string {
  const largest = blocks.toSorted((a, b) => b.sizeBytes - a.sizeBytes).slice(0, listedBlockCount);
  return largest.map(({ name, sizeBytes }) => `${name} of ${sizeBytes} bytes`).join(', ');
}

function otherMachine({ configuration }: MigrationStream): string | undefined {
  return configuration === undefined || pcMachine.test(configuration.machine)
    ? undefined
    : `the stream is of a machine ${JSON.stringify(configuration.machine)}, and where that has its RAM is not known here`;
}
