// Reads guest memory by kernel virtual address. Nothing is thrown for an address that is not mapped: a pointer out of
// guest memory may be anything, so every read says whether it held.
//
// What is read is taken as evidence. Who only looks whether something may be there reads by `unrecorded`, and names by
// `record` what was believed of it.
import type { Gpa, PhysicalMemory } from '../memory/physical-memory.js';
import { EvidencePages } from './evidence-pages.js';
import type { PageTables, Translation } from './paging.js';

/** Longest C string read: kernel names are far shorter. */
const stringLimitBytes = 256;

export class VirtualMemory {
  readonly #memory: PhysicalMemory;
  readonly #tables: PageTables;
  readonly #word = Buffer.alloc(8);
  readonly evidence: EvidencePages;
  readonly #isRecording: boolean;
  #unrecorded: VirtualMemory | undefined;
  #highestMissing: Gpa | undefined;

  constructor(
    memory: PhysicalMemory,
    tables: PageTables,
    evidence = new EvidencePages(memory.regions),
    isRecording = true,
  ) {
    this.#memory = memory;
    this.#tables = tables;
    this.evidence = evidence;
    this.#isRecording = isRecording;
  }

  /** This memory with reads that are no evidence. */
  get unrecorded(): VirtualMemory {
    this.#unrecorded ??= new VirtualMemory(this.#memory, this.#tables, this.evidence, false);
    return this.#unrecorded;
  }

  /** Takes the bytes as evidence, as if they were read. False when any part is not mapped to RAM. */
  record(address: bigint, sizeBytes: number): boolean {
    let done = 0;
    while (done < sizeBytes) {
      const at = this.#tables.translate(address + BigInt(done));
      if (at === undefined) {
        return false;
      }
      const length = Math.min(at.contiguousBytes, sizeBytes - done);
      this.evidence.add(at.gpa, length);
      done += length;
    }
    return true;
  }

  /** Where `address` lies in RAM, undefined when it is not mapped. */
  translate(address: bigint): Gpa | undefined {
    return this.#tables.translate(address)?.gpa;
  }

  /** Where `address` lies in RAM, and how far the mapping goes on; undefined when it is not mapped. */
  mappingOf(address: bigint): Translation | undefined {
    return this.#tables.translate(address);
  }

  /** Highest address that was mapped, or that a page table should be at, but not in the image, if any: a sign that the image is only a part of the RAM. */
  get highestMissing(): Gpa | undefined {
    const ofTables = this.#tables.highestMissing;
    return ofTables === undefined
      ? this.#highestMissing
      : Math.max(this.#highestMissing ?? 0, ofTables);
  }

  /** Whether all of it is mapped, and nothing of it for writing. */
  isReadOnly(address: bigint, sizeBytes: number): boolean {
    for (let done = 0; done < sizeBytes;) {
      const at = this.#tables.translate(address + BigInt(done));
      if (at === undefined || at.isWritable) {
        return false;
      }
      done += at.contiguousBytes;
    }
    return true;
  }

  /** Fills `target` from `address`; false when any part is not mapped to RAM. */
  read(address: bigint, target: Uint8Array): boolean {
    let done = 0;
    while (done < target.length) {
      const at = this.#tables.translate(address + BigInt(done));
      if (at === undefined) {
        return false;
      }
      const length = Math.min(at.contiguousBytes, target.length - done);
      if (!this.#memory.read(at.gpa, target.subarray(done, done + length))) {
        this.#highestMissing = Math.max(this.#highestMissing ?? 0, at.gpa);
        return false;
      }
      if (this.#isRecording) {
        this.evidence.add(at.gpa, length);
      }
      done += length;
    }
    return true;
  }

  bytes(address: bigint, sizeBytes: number): Buffer | undefined {
    const target = Buffer.alloc(sizeBytes);
    return this.read(address, target) ? target : undefined;
  }

  u64(address: bigint): bigint | undefined {
    return this.read(address, this.#word) ? this.#word.readBigUInt64LE(0) : undefined;
  }

  u32(address: bigint): number | undefined {
    return this.read(address, this.#word.subarray(0, 4)) ? this.#word.readUInt32LE(0) : undefined;
  }

  /** A NUL-terminated string; undefined when unmapped or longer than any kernel name. */
  string(address: bigint): string | undefined {
    let text = '';
    // In short pieces: the string may end right before an unmapped page.
    for (let at = address; text.length < stringLimitBytes;) {
      const piece = this.bytes(at, 16 - Number(at & 15n));
      if (piece === undefined) {
        return undefined;
      }
      const end = piece.indexOf(0);
      text += piece.toString('latin1', 0, end < 0 ? piece.length : end);
      if (end >= 0) {
        return text;
      }
      at += BigInt(piece.length);
    }
    return undefined;
  }
}
