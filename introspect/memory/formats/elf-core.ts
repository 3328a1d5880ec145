// Guest RAM as an ELF core: QEMU's `dump-guest-memory` and `virsh dump --memory-only`, and other tools' alike.
//
//   e_ident e_type=4 e_machine=62 ...  e_phoff e_phnum     64-byte header (gABI chapter 4, elf(5))
//   p_type=1 PT_LOAD  p_offset p_paddr p_filesz p_memsz    56 bytes per run of RAM; beyond p_filesz it is zero
//
// Of the notes only QEMU's own, of the CPUs, are read (elf-cpus.ts): VMCOREINFO is found in RAM itself, and QEMU writes its
// note only when the guest helped it to. QEMU includes what else the guest can address as memory (video RAM, firmware); those runs are kept like any other.
import { ParsError } from '../../pars-error.js';
import { type FileExtent, viewOfExtents } from '../file-extents.js';
import { ImageFile, imageOfFile } from '../image-file.js';
import type { ImageOpener, MemoryImage } from '../memory-image.js';
import { type FileRange, readNotes } from './elf-cpus.js';

const magic = Buffer.from('\x7fELF', 'latin1');
const headerBytes = 64;
const class64 = 2;
const littleEndian = 1;
const coreType = 4;
const machineX86 = 62;
const programHeaderBytes = 56;
const sectionHeaderBytes = 64;
const loadSegment = 1;
const noteSegment = 4;
/** e_phnum when the count does not fit: it then stands in sh_info of section header 0 (PN_XNUM, Linux elf.h). */
const extendedCount = 0xffff;
/** Twice the runs of RAM that can be kept: room for notes, and a table that is read in one go. */
const maxProgramHeaderCount = 131_072;

const machineNames: Readonly<Record<number, string>> = {
  3: 'i386',
  21: 'PowerPC 64',
  22: 'S/390',
  183: 'AArch64',
  243: 'RISC-V',
  258: 'LoongArch',
};

/** With paging, QEMU names a page as often as the guest maps it. */
const overlapRemedy =
  'take the dump without paging (`dump-guest-memory FILE` without -p, paging=false in QMP)';

export const elfOpener: ImageOpener = {
  format: 'elf',
  recognises: (head) => head.subarray(0, magic.length).equals(magic),
  open: (path) => ImageFile.openAs(path, readElfCore),
};

function readElfCore(file: ImageFile): MemoryImage {
  const header = Buffer.alloc(headerBytes);
  readPart(file, 'the ELF header', 0, header);
  checkHeader(file, header);
  const machine = header.readUInt16LE(18);
  const { extents, notes } = readSegments(file, header);
  const image = {
    ...imageOfFile('elf', file, [viewOfExtents(file, extents, overlapRemedy)]),
    cpus: readNotes(file, notes),
  };
  return machine === machineX86
    ? image
    : {
        ...image,
        unsupported: `the core is of another machine: expected x86-64 (${machineX86}), found ${machineNames[machine] ?? 'e_machine'} (${machine})`,
      };
}

function checkHeader(file: ImageFile, header: Buffer): void {
  if (!elfOpener.recognises(header, file.path)) {
    throw invalid(file, `expected 7f 45 4c 46 at offset 0, found ${spaced(header.subarray(0, 4))}`);
  }
  if (header[4] !== class64) {
    throw invalid(
      file,
      `expected a 64-bit ELF (2 at offset 4), found ${header[4]}: 32-bit guests are not understood`,
    );
  }
  if (header[5] !== littleEndian) {
    throw invalid(
      file,
      `expected a little-endian ELF (1 at offset 5), found ${header[5]}: big-endian guests are not understood`,
    );
  }
  const type = header.readUInt16LE(16);
  if (type !== coreType) {
    throw invalid(
      file,
      `expected an ELF core (type ${coreType} at offset 16), found type ${type}: a program, not a dump of memory`,
    );
  }
}

function readSegments(
  file: ImageFile,
  header: Buffer,
): { readonly extents: readonly FileExtent[]; readonly notes: readonly FileRange[] } {
  const tableOffset = fileNumber(file, header, 0, 32, 'e_phoff');
  const entryBytes = header.readUInt16LE(54);
  const count = programHeaderCount(file, header);
  if (count === 0) {
    throw invalid(
      file,
      'the core has no program headers: the form of Xen, which is not read; dump the guest with QEMU or libvirt',
    );
  }
  if (entryBytes !== programHeaderBytes) {
    throw invalid(
      file,
      `expected program headers of ${programHeaderBytes} bytes (at offset 54), found ${entryBytes}`,
    );
  }
  if (count > maxProgramHeaderCount) {
    throw new ParsError(
      'unsupported',
      `${file.path} has ${count} program headers, at most ${maxProgramHeaderCount} are read`,
    );
  }
  const tableBytes = count * programHeaderBytes;
  if (tableOffset + tableBytes > file.sizeBytes) {
    throw endsBefore(file, `${count} program headers`, tableOffset, tableBytes);
  }
  const table = Buffer.alloc(tableBytes);
  file.read(tableOffset, table);
  const extents: FileExtent[] = [];
  const notes: FileRange[] = [];
  for (let index = 0; index < count; index++) {
    const at = index * programHeaderBytes;
    const type = table.readUInt32LE(at);
    const number = (field: number, name: string): number =>
      fileNumber(file, table, tableOffset, at + field, name);
    if (type === noteSegment) {
      notes.push({ offset: number(8, 'p_offset'), sizeBytes: number(32, 'p_filesz') });
    } else if (type === loadSegment) {
      const sizeBytes = number(40, 'p_memsz');
      if (sizeBytes > 0) {
        extents.push({
          name: `program header ${index}`,
          gpaStart: number(24, 'p_paddr'),
          sizeBytes,
          fileOffset: number(8, 'p_offset'),
          storedBytes: number(32, 'p_filesz'),
        });
      }
    }
  }
  return { extents, notes };
}

function programHeaderCount(file: ImageFile, header: Buffer): number {
  const count = header.readUInt16LE(56);
  if (count !== extendedCount) {
    return count;
  }
  const section = Buffer.alloc(sectionHeaderBytes);
  const sectionOffset = fileNumber(file, header, 0, 40, 'e_shoff');
  readPart(file, 'section header 0, which counts the program headers', sectionOffset, section);
  return section.readUInt32LE(44);
}

/** A 64-bit number of the file that counts or places bytes. `base` is where `bytes` lie in the file. */
function fileNumber(
  file: ImageFile,
  bytes: Buffer,
  base: number,
  at: number,
  name: string,
): number {
  const value = bytes.readBigUInt64LE(at);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw invalid(
      file,
      `expected ${name} at offset ${base + at} to be below 2^53, found 0x${value.toString(16)}`,
    );
  }
  return Number(value);
}

function readPart(file: ImageFile, name: string, offset: number, target: Buffer): void {
  if (offset + target.length > file.sizeBytes) {
    throw endsBefore(file, name, offset, target.length);
  }
  file.read(offset, target);
}

function endsBefore(file: ImageFile, name: string, offset: number, sizeBytes: number): ParsError {
  return invalid(
    file,
    `expected ${name} in ${sizeBytes} bytes at offset ${offset}, ` +
      `found the file's end at ${file.sizeBytes}; it may be truncated`,
  );
}

function invalid(file: ImageFile, problem: string): ParsError {
  return new ParsError(
    'image-invalid',
    `${file.path} is not an ELF core that can be read: ${problem}`,
  );
}

function spaced(bytes: Buffer): string {
  return bytes.toString('hex').replaceAll(/(..)(?=.)/g, '$1 ');
}
