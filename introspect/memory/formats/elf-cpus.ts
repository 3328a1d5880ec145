// The CPUs' registers out of the notes of a dump that QEMU made (qemu target/i386/arch_dump.c, QEMUCPUState):
//
//   u32 name's length | u32 content's length | u32 type | name | content     name and content padded to 4 bytes
//
// For every CPU there is a note CORE of type 1, and behind those one QEMU of type 0, which has the control registers:
//
//   u32 version 1 | u32 size | 18 x u64 rax rbx rcx rdx rsi rdi rsp ... rip rflags | 10 x 24 segments cs ... idt | cr0 cr1 cr2 cr3 cr4 | ...
//
// Whether a CPU is halted, and EFER and LSTAR, are not in it.
import type { CpuState, CpuStates } from '../cpu-state.js';
import type { ImageFile } from '../image-file.js';

export interface FileRange {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Some kilobyte a CPU, of which QEMU allows 4096. */
const notesLimitBytes = 16 * 2 ** 20;
const headBytes = 12;
const noteVersion = 1;
const smallestContentBytes = 432;
const at = { version: 0, rsp: 56, rip: 136, rflags: 144, codeSelector: 152, cr0: 392 } as const;
const privilegeMask = 3;

/** What the notes say. Those of other tools, and damaged ones, say nothing of the CPUs. */
export function readNotes(file: ImageFile, notes: readonly FileRange[]): CpuStates {
  const cpus: CpuState[] = [];
  let leftBytes = notesLimitBytes;
  for (const { offset, sizeBytes } of notes) {
    leftBytes -= sizeBytes;
    if (leftBytes < 0 || offset + sizeBytes > file.sizeBytes) {
      return { known: false, reason: "the dump's notes are damaged" };
    }
    const bytes = Buffer.alloc(sizeBytes);
    file.read(offset, bytes);
    cpus.push(...cpusIn(bytes));
  }
  return cpus.length === 0
    ? { known: false, reason: 'the dump has no notes of QEMU about the CPUs' }
    : { known: true, cpus };
}

function* cpusIn(notes: Buffer): Generator<CpuState> {
  for (let note = 0; note + headBytes <= notes.length;) {
    const nameBytes = notes.readUInt32LE(note);
    const contentBytes = notes.readUInt32LE(note + 4);
    const type = notes.readUInt32LE(note + 8);
    const nameAt = note + headBytes;
    const contentAt = nameAt + padded(nameBytes);
    const name = notes.toString('latin1', nameAt, nameAt + Math.max(0, nameBytes - 1));
    const content = notes.subarray(contentAt, contentAt + contentBytes);
    if (
      name === 'QEMU' &&
      type === 0 &&
      content.length >= smallestContentBytes &&
      content.readUInt32LE(at.version) === noteVersion
    ) {
      yield cpuOf(content);
    }
    note = contentAt + padded(contentBytes);
  }
}

function cpuOf(content: Buffer): CpuState {
  const word = (offset: number): bigint => content.readBigUInt64LE(offset);
  return {
    cr0: word(at.cr0),
    cr3: word(at.cr0 + 24),
    cr4: word(at.cr0 + 32),
    rip: word(at.rip),
    rsp: word(at.rsp),
    rflags: word(at.rflags),
    privilege: content.readUInt32LE(at.codeSelector) & privilegeMask,
  };
}

function padded(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 4) * 4;
}
