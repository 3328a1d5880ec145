// The head of a migration stream that says which machine it is of (qemu migration/savevm.c, vmstate_configuration):
//
//   u32 length | machine | subsections: 5 | u8 length | name | u32 version | content, whose length the name decides
import { capabilitiesSection, sectionTypes } from './layout.js';
import type { StreamReader } from './stream-reader.js';
import type { Configuration, FileRange } from './types.js';

const pageBitsSection = 'configuration/target-page-bits';
const uuidSection = 'configuration/uuid';
const uuidSizeBytes = 16;
const pageBits = 12;
/** A name's length, here in four bytes, never needs more than one. */
const maxNameBytes = 255;
const maxCapabilityCount = 64;

/** The reader stands behind the section's type. */
export function decodeConfiguration(reader: StreamReader): Configuration {
  const startOffset = reader.offset - 1;
  const machine = reader.text(countUpTo(reader, maxNameBytes, "a machine's name of"));
  const capabilities: string[] = [];
  let capabilitiesRange: FileRange | undefined;
  for (;;) {
    const offset = reader.offset;
    if (reader.u8() !== sectionTypes.subsection) {
      reader.seek(offset);
      break;
    }
    const name = reader.name();
    reader.u32(); // Version: each has had one so far.
    switch (name) {
      case capabilitiesSection: {
        const count = countUpTo(reader, maxCapabilityCount, 'a number of capabilities of');
        for (let index = 0; index < count; index++) {
          capabilities.push(reader.name());
        }
        capabilitiesRange = { startOffset: offset, endOffset: reader.offset };
        break;
      }
      case pageBitsSection: {
        const found = reader.u32();
        if (found !== pageBits) {
          throw reader.unsupported(
            `expected a machine with pages of 2^${pageBits} bytes, found ${JSON.stringify(machine)} with 2^${found}`,
          );
        }
        break;
      }
      case uuidSection:
        reader.skip(uuidSizeBytes);
        break;
      default:
        throw reader.unsupported(
          `the configuration has a part ${JSON.stringify(name)} at offset ${offset} that this program does not know: ` +
            'the stream is of a newer QEMU, or damaged',
        );
    }
  }
  return {
    range: { startOffset, endOffset: reader.offset },
    machine,
    capabilities,
    capabilitiesRange,
  };
}

function countUpTo(reader: StreamReader, limit: number, what: string): number {
  const count = reader.u32();
  if (count > limit) {
    throw reader.damaged(reader.offset - 4, `${what} at most ${limit}`, String(count));
  }
  return count;
}
