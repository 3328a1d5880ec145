// A whole migration stream, or virsh save file, from restored RAM and a device state that was taken from such a stream.
//
// The state is the stream without the guest's memory (introspect/memory/migration/skeleton.ts). The pages go in as one
// section behind the list of RAM blocks, where a source sends them too.
import { readSaveHead } from '../../../introspect/memory/formats/libvirt-save.js';
import { ImageFile } from '../../../introspect/memory/image-file.js';
import { decodeMigrationStream } from '../../../introspect/memory/migration/decode.js';
import { type BlockPages, encodeRamPart } from '../../../introspect/memory/migration/encode.js';
import { migrationMagic } from '../../../introspect/memory/migration/layout.js';
import { guestRamOf } from '../../../introspect/memory/migration/main-ram.js';
import type { MigrationStream, RamBlock } from '../../../introspect/memory/migration/types.js';
import { pageSizeBytes } from '../../../introspect/memory/physical-memory.js';
import { ParsError } from '../../../introspect/pars-error.js';
import type { StreamFormat } from '../restore-request.js';

const windowSizeBytes = 2 ** 20;
const zeroPage = Buffer.alloc(pageSizeBytes);

export class StreamRebuild {
  readonly #state: ImageFile;
  readonly #prefix: Uint8Array;
  readonly #stream: MigrationStream;

  private constructor(state: ImageFile, prefix: Uint8Array, stream: MigrationStream) {
    this.#state = state;
    this.#prefix = prefix;
    this.#stream = stream;
  }

  /** Throws `unsupported` when the state is not of a stream, or of one with other RAM. */
  static open(statePath: string, format: StreamFormat, ramSizeBytes: number): StreamRebuild {
    return ImageFile.openAs(statePath, (state) => {
      const head = readSaveHead(state);
      if (format === 'libvirt-save' && head === undefined) {
        throw cannot(format, 'its device state does not come from a virsh save file');
      }
      const startOffset = head?.bytes.length ?? 0;
      if (!beginsStream(state, startOffset)) {
        throw cannot(format, 'its device state does not come from a migration stream');
      }
      const stream = decodeMigrationStream(state, startOffset);
      if (stream.isRamElsewhere) {
        throw cannot(format, 'its device state was taken with the capability x-ignore-shared');
      }
      const guestRamBytes = leftOutOf(stream).reduce((sum, block) => sum + block.sizeBytes, 0);
      if (guestRamBytes !== ramSizeBytes) {
        throw cannot(
          format,
          `its device state is of a machine with ${guestRamBytes} bytes of RAM, the image has ${ramSizeBytes}`,
        );
      }
      const prefix = format === 'libvirt-save' ? head?.bytes : undefined;
      return new StreamRebuild(state, prefix ?? new Uint8Array(), stream);
    });
  }

  /** The stream's bytes, with the pages of the RAM file. */
  *content(ram: ImageFile): Generator<Uint8Array, void, undefined> {
    const { range, startSection } = this.#stream;
    yield this.#prefix;
    yield* this.#stateBytes(range.startOffset, startSection.endOffset);
    yield* encodeRamPart(this.#stream, pagesOf(ram, leftOutOf(this.#stream)));
    yield* this.#stateBytes(startSection.endOffset, range.endOffset);
  }

  close(): void {
    this.#state.close();
  }

  *#stateBytes(startOffset: number, endOffset: number): Generator<Uint8Array, void, undefined> {
    for (let at = startOffset; at < endOffset; at += windowSizeBytes) {
      const bytes = Buffer.allocUnsafe(Math.min(windowSizeBytes, endOffset - at));
      this.#state.read(at, bytes);
      yield bytes;
    }
  }
}

/** The blocks that the state has nothing of, as their pages were stored: by that alone, whatever they are called. */
function leftOutOf({ blocks }: MigrationStream): readonly RamBlock[] {
  const leftOut = blocks.filter(({ places }) => !places.isStated);
  return leftOut.length === 0 ? [] : guestRamOf(leftOut);
}

/** The blocks' pages lie one after the other in the file. Asked for in ascending order. */
function pagesOf(ram: ImageFile, blocks: readonly RamBlock[]): readonly BlockPages[] {
  const window = Buffer.allocUnsafe(windowSizeBytes);
  let windowOffset = -1;
  const pageAt = (offset: number): Buffer => {
    const within = offset % windowSizeBytes;
    if (windowOffset !== offset - within) {
      windowOffset = offset - within;
      ram.read(windowOffset, window.subarray(0, ram.sizeBytes - windowOffset));
    }
    return window.subarray(within, within + pageSizeBytes);
  };
  let startOffset = 0;
  return blocks.map(({ name, sizeBytes }) => {
    const blockOffset = startOffset;
    startOffset += sizeBytes;
    return {
      name,
      sizeBytes,
      isZero: (page) => pageAt(blockOffset + page * pageSizeBytes).equals(zeroPage),
      read: (page, target) => {
        target.set(pageAt(blockOffset + page * pageSizeBytes));
      },
    };
  });
}

function beginsStream(state: ImageFile, startOffset: number): boolean {
  const magic = Buffer.alloc(migrationMagic.length);
  if (startOffset + magic.length > state.sizeBytes) {
    return false;
  }
  state.read(startOffset, magic);
  return magic.equals(migrationMagic);
}

function cannot(format: StreamFormat, reason: string): ParsError {
  return new ParsError(
    'unsupported',
    `this snapshot cannot be restored as ${format}: ${reason}; restore it as raw, which gives RAM and state as two files`,
  );
}
