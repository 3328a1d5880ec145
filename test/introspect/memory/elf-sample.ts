// ELF cores as tests want them: every field can be made wrong.
export interface Segment {
  /** 1 for PT_LOAD, 4 for a note. */
  readonly type?: number;
  readonly gpa: number;
  /** p_filesz bytes. */
  readonly bytes: Buffer;
  /** p_memsz; as many as `bytes` without. */
  readonly memoryBytes?: number;
}

export interface ElfFields {
  readonly machine?: number;
  readonly type?: number;
  /** Store the count of program headers in section header 0, as files with 65,535 or more do. */
  readonly extendedCount?: boolean;
}

const headerBytes = 64;
const entryBytes = 56;
const sectionBytes = 64;

/** Header, program headers, section header 0 if wanted, then the segments' bytes without any alignment. */
export function elfCore(segments: readonly Segment[], fields: ElfFields = {}): Buffer {
  const sectionOffset = headerBytes + segments.length * entryBytes;
  const isExtended = fields.extendedCount === true;
  const header = Buffer.alloc(sectionOffset + (isExtended ? sectionBytes : 0));
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(header);
  header.writeUInt16LE(fields.type ?? 4, 16);
  header.writeUInt16LE(fields.machine ?? 62, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(headerBytes), 32);
  header.writeUInt16LE(headerBytes, 52);
  header.writeUInt16LE(entryBytes, 54);
  header.writeUInt16LE(isExtended ? 0xffff : segments.length, 56);
  if (isExtended) {
    header.writeBigUInt64LE(BigInt(sectionOffset), 40);
    header.writeUInt32LE(segments.length, sectionOffset + 44);
  }
  let fileOffset = header.length;
  segments.forEach(({ type = 1, gpa, bytes, memoryBytes = bytes.length }, index) => {
    const at = headerBytes + index * entryBytes;
    header.writeUInt32LE(type, at);
    header.writeBigUInt64LE(BigInt(fileOffset), at + 8);
    header.writeBigUInt64LE(BigInt(gpa), at + 24);
    header.writeBigUInt64LE(BigInt(bytes.length), at + 32);
    header.writeBigUInt64LE(BigInt(memoryBytes), at + 40);
    fileOffset += bytes.length;
  });
  return Buffer.concat([header, ...segments.map(({ bytes }) => bytes)]);
}
