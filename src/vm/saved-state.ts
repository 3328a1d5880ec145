// Which parts of a VM a restored device state holds.
import { readSaveHead } from '../../introspect/memory/formats/libvirt-save.js';
import { ImageFile } from '../../introspect/memory/image-file.js';
import { decodeMigrationStream } from '../../introspect/memory/migration/decode.js';
import { migrationMagic } from '../../introspect/memory/migration/layout.js';
import { ParsError } from '../../introspect/pars-error.js';

/**
 * Whether QEMU loads the state with the RAM in a file beside it; else it needs the RAM in the same stream. Throws
 * `unsupported` when it is no state of QEMU's.
 */
export function isRamElsewhere(statePath: string): boolean {
  const state = ImageFile.open(statePath);
  try {
    const startOffset = readSaveHead(state)?.bytes.length ?? 0;
    if (!beginsStream(state, startOffset)) {
      throw new ParsError(
        'unsupported',
        `${statePath}: expected a migration stream of QEMU (${migrationMagic.toString()} at offset ${startOffset}); ` +
          'only QEMU machines can be resumed',
      );
    }
    return decodeMigrationStream(state, startOffset).isRamElsewhere;
  } finally {
    state.close();
  }
}

/** Throws `usage` when the state needs the RAM in the same stream, and as `isRamElsewhere`. */
export function expectRamElsewhere(statePath: string): void {
  if (!isRamElsewhere(statePath)) {
    throw new ParsError(
      'usage',
      `the device state ${statePath} was taken from a stream with the RAM in it, and QEMU takes it back only so; ` +
        'restore with --output-format migration, or leave that option out',
    );
  }
}

function beginsStream(state: ImageFile, startOffset: number): boolean {
  const magic = Buffer.alloc(Math.min(migrationMagic.length, state.sizeBytes - startOffset));
  state.read(startOffset, magic);
  return magic.equals(migrationMagic);
}
