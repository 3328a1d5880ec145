// One pass over a migration stream, up to where the devices begin: which RAM blocks there are and where their pages lie.
//
// Whatever precedes the devices must be understood byte for byte, since nothing in the stream says where a section
// ends. What is not known is refused by name.
import type { ImageFile } from '../image-file.js';
import { pageSizeBytes } from '../physical-memory.js';
import { decodeConfiguration } from './decode-configuration.js';
import { RamDecoder } from './decode-ram.js';
import {
  migrationMagic,
  migrationVersion,
  postcopyAdvise,
  postcopyCommands,
  sectionTypes,
} from './layout.js';
import { streamEnd } from './stream-end.js';
import { StreamReader } from './stream-reader.js';
import type { Configuration, FileRange, MigrationStream } from './types.js';

/** Between two sections of RAM QEMU writes one command at most. */
const maxCommandCount = 1024;

/** Throws `image-invalid` when the stream is damaged or cut short, `unsupported` when it holds what cannot be read. */
export function decodeMigrationStream(file: ImageFile, startOffset: number): MigrationStream {
  return open(file, startOffset).decode();
}

/** What all RAM blocks have together, by the list of them with which a stream begins. Throws as `decodeMigrationStream`. */
export function statedRamBytes(file: ImageFile, startOffset: number): number {
  return open(file, startOffset).decodeSizes();
}

function open(file: ImageFile, startOffset: number): Decoder {
  const reader = new StreamReader(file, startOffset);
  const magic = reader.text(migrationMagic.length);
  if (magic !== migrationMagic.toString('latin1')) {
    throw reader.damaged(startOffset, 'the magic QEVM', JSON.stringify(magic));
  }
  const version = reader.u32();
  if (version !== migrationVersion) {
    throw reader.unsupported(
      `expected a migration stream of version ${migrationVersion}, found version ${version}`,
    );
  }
  return new Decoder(file, reader, startOffset);
}

class Decoder {
  readonly #file: ImageFile;
  readonly #reader: StreamReader;
  readonly #startOffset: number;
  #configuration: Configuration | undefined;
  #ram: RamDecoder | undefined;
  #startSection: FileRange | undefined;
  #hasFooters = false;
  #hasEndSection = false;
  readonly #commands: FileRange[] = [];

  constructor(file: ImageFile, reader: StreamReader, startOffset: number) {
    this.#file = file;
    this.#reader = reader;
    this.#startOffset = startOffset;
  }

  /** Up to the list of RAM blocks. */
  decodeSizes(): number {
    while (this.#ram === undefined) {
      const offset = this.#reader.offset;
      this.#decodeSection(offset, this.#reader.u8());
    }
    return this.#ram.totalBytes;
  }

  decode(): MigrationStream {
    for (;;) {
      const offset = this.#reader.offset;
      const type = this.#reader.u8();
      if (this.#ram !== undefined && this.#startSection !== undefined && endsRam(type)) {
        const endOffset = streamEnd(this.#file, offset);
        return {
          range: { startOffset: this.#startOffset, endOffset },
          configuration: this.#configuration,
          blocks: this.#ram.finish(this.#file),
          sectionId: this.#ram.sectionId,
          hasFooters: this.#hasFooters,
          isMapped: this.#ram.isMapped,
          isRamElsewhere: this.#ram.isRamElsewhere,
          startSection: this.#startSection,
          commands: this.#commands,
          hasEndSection: this.#hasEndSection,
          rest: { startOffset: offset, endOffset },
        };
      }
      this.#decodeSection(offset, type);
    }
  }

  #decodeSection(offset: number, type: number): void {
    switch (type) {
      case sectionTypes.configuration:
        if (this.#configuration !== undefined || this.#ram !== undefined) {
          throw this.#reader.damaged(offset, 'the configuration once, first', 'another one');
        }
        this.#configuration = decodeConfiguration(this.#reader);
        return;
      case sectionTypes.command:
        this.#decodeCommand(offset);
        return;
      case sectionTypes.start:
      case sectionTypes.full:
        this.#decodeStart(offset);
        return;
      case sectionTypes.part:
      case sectionTypes.end: {
        const id = this.#reader.u32();
        if (this.#ram?.sectionId !== id) {
          throw this.#reader.damaged(offset, 'a section of RAM', `one with the number ${id}`);
        }
        this.#ram.decodePages(this.#reader);
        this.#hasEndSection = type === sectionTypes.end;
        this.#decodeFooter(id);
        return;
      }
      default:
        throw this.#reader.damaged(offset, 'a section', `type 0x${type.toString(16)}`);
    }
  }

  #decodeStart(offset: number): void {
    const id = this.#reader.u32();
    const name = this.#reader.name();
    this.#reader.u32(); // Instance: there is one RAM.
    const version = this.#reader.u32();
    if (name !== 'ram') {
      throw this.#reader.unsupported(
        `the section ${JSON.stringify(name)} at offset ${offset} comes before the end of RAM, and nothing says how long it is; ` +
          'take the snapshot without that device, or without the capability that saves it (such as dirty-bitmaps)',
      );
    }
    if (this.#ram !== undefined) {
      throw this.#reader.damaged(offset, 'the list of RAM blocks once', 'another one');
    }
    this.#ram = new RamDecoder(this.#reader, id, version, this.#configuration?.capabilities ?? []);
    this.#decodeFooter(id);
    this.#startSection = { startOffset: offset, endOffset: this.#reader.offset };
  }

  #decodeFooter(id: number): void {
    const offset = this.#reader.offset;
    if (this.#reader.u8() !== sectionTypes.footer) {
      // Machines from before QEMU 2.4 have none.
      this.#reader.seek(offset);
      return;
    }
    const found = this.#reader.u32();
    if (found !== id) {
      throw this.#reader.damaged(offset, `the footer of section ${id}`, `one of section ${found}`);
    }
    this.#hasFooters = true;
  }

  #decodeCommand(offset: number): void {
    const command = this.#reader.u16();
    const sizeBytes = this.#reader.u16();
    const postcopy = postcopyCommands[command] as string | undefined;
    if (postcopy !== undefined) {
      throw this.#reader.unsupported(
        `the stream goes over to postcopy at offset ${offset} (${postcopy}), so RAM is not all in it; migrate without postcopy`,
      );
    }
    const dataOffset = this.#reader.offset;
    if (command === postcopyAdvise && sizeBytes >= 8 && this.#reader.u64() !== pageSizeBytes) {
      throw this.#reader.unsupported(
        'the RAM is in huge pages and the capability postcopy-ram was on, which changes the list of blocks; ' +
          'take the snapshot with that capability off',
      );
    }
    this.#reader.seek(dataOffset + sizeBytes);
    if (this.#ram !== undefined) {
      if (this.#commands.length === maxCommandCount) {
        throw this.#reader.damaged(offset, `at most ${maxCommandCount} commands`, 'another one');
      }
      this.#commands.push({ startOffset: offset, endOffset: this.#reader.offset });
    }
  }
}

function endsRam(type: number): boolean {
  return type === sectionTypes.full || type === sectionTypes.endOfFile;
}
