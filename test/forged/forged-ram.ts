// A guest's RAM in memory of our own, which a case changes and gives back as it was. Notes what is read by address:
// searches read by place in the image, so what is read by address is what a kernel was believed to keep there.
import { readFileSync } from 'node:fs';
import { ParsError } from '../../introspect/pars-error.js';
import type {
  Gpa,
  ImageExtent,
  MemoryRegion,
  PhysicalMemory,
} from '../../introspect/memory/physical-memory.js';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';

const granuleBytes = 64 * pageSizeBytes;

export class ForgedRam implements PhysicalMemory {
  readonly bytes: Buffer;
  readonly regions: readonly MemoryRegion[];
  readonly sizeBytes: number;
  readonly #before = new Map<number, Buffer>();
  /** For each granule: 1 if it holds anything but zeroes as read, 2 since a case wrote there. */
  readonly #hasData: Uint8Array;
  #reads: Uint8Array | undefined;

  /** RAM without a hole: a place in the file is an address. */
  constructor(path: string) {
    this.bytes = readFileSync(path);
    this.sizeBytes = this.bytes.length;
    this.regions = [{ gpaStart: 0, sizeBytes: this.sizeBytes, imageOffset: 0 }];
    const zeroes = Buffer.alloc(granuleBytes);
    this.#hasData = Uint8Array.from({ length: Math.ceil(this.sizeBytes / granuleBytes) }, (_, at) =>
      this.bytes.subarray(at * granuleBytes, (at + 1) * granuleBytes).equals(zeroes) ? 0 : 1,
    );
  }

  get changedFrames(): readonly number[] {
    return [...this.#before.keys()];
  }

  wasChanged(pfn: number): boolean {
    return this.#before.has(pfn);
  }

  write(gpa: Gpa, bytes: Uint8Array): void {
    const end = Math.ceil((gpa + bytes.length) / pageSizeBytes);
    for (let pfn = Math.floor(gpa / pageSizeBytes); pfn < end; pfn++) {
      if (!this.#before.has(pfn)) {
        const at = pfn * pageSizeBytes;
        this.#before.set(pfn, Buffer.from(this.bytes.subarray(at, at + pageSizeBytes)));
        this.#hasData[Math.floor(at / granuleBytes)] |= 2;
      }
    }
    this.bytes.set(bytes, gpa);
  }

  u64(gpa: Gpa): bigint {
    return this.bytes.readBigUInt64LE(gpa);
  }

  setU64(gpa: Gpa, value: bigint): void {
    const word = Buffer.alloc(8);
    word.writeBigUInt64LE(BigInt.asUintN(64, value));
    this.write(gpa, word);
  }

  /** As it was read from the file. */
  restore(): void {
    for (const [pfn, bytes] of this.#before) {
      this.bytes.set(bytes, pfn * pageSizeBytes);
      this.#hasData[Math.floor((pfn * pageSizeBytes) / granuleBytes)] &= 1;
    }
    this.#before.clear();
  }

  /** What `work` gives, and for each frame whether it was read by address meanwhile. */
  noteReads<T>(work: () => T): { readonly result: T; readonly reads: Uint8Array } {
    const reads = new Uint8Array(this.sizeBytes / pageSizeBytes);
    this.#reads = reads;
    try {
      return { result: work(), reads };
    } finally {
      this.#reads = undefined;
    }
  }

  read(gpa: Gpa, target: Uint8Array): boolean {
    if (!(gpa >= 0 && gpa + target.length <= this.sizeBytes)) {
      return false;
    }
    this.#reads?.fill(
      1,
      Math.floor(gpa / pageSizeBytes),
      Math.ceil((gpa + target.length) / pageSizeBytes),
    );
    target.set(this.bytes.subarray(gpa, gpa + target.length));
    return true;
  }

  readImage(imageOffset: number, target: Uint8Array): void {
    if (!(imageOffset >= 0 && imageOffset + target.length <= this.sizeBytes)) {
      throw new ParsError('image-invalid', `no ${target.length} bytes at ${imageOffset}`);
    }
    target.set(this.bytes.subarray(imageOffset, imageOffset + target.length));
  }

  dataAt(imageOffset: number): ImageExtent | undefined {
    const count = this.#hasData.length;
    let first = Math.floor(imageOffset / granuleBytes);
    while (first < count && this.#hasData[first] === 0) {
      first++;
    }
    if (first === count) {
      return undefined;
    }
    let end = first;
    while (end < count && this.#hasData[end] !== 0) {
      end++;
    }
    return {
      startOffset: Math.max(imageOffset, first * granuleBytes),
      endOffset: Math.min(end * granuleBytes, this.sizeBytes),
    };
  }
}
