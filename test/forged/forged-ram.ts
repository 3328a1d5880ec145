// A guest's RAM in memory of our own, which a case changes and gives back as it was. Notes what is read by address:
// searches read by place in the image, so what is read by address is what a kernel was believed to keep there.
import { readFileSync } from 'node:fs';
import type {
  Gpa,
  ImageExtent,
  MemoryRegion,
  PhysicalMemory,
} from '../../introspect/memory/physical-memory.js';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { ParsError } from '../../introspect/pars-error.js';

const vmcoreinfoBegin = Buffer.from('OSRELEASE=');

export class ForgedRam implements PhysicalMemory {
  readonly bytes: Buffer;
  readonly regions: readonly MemoryRegion[];
  readonly sizeBytes: number;
  readonly #before = new Map<number, Buffer>();
  /** Frames that a search is to see. */
  readonly #shown: readonly number[];
  #order: readonly number[] | undefined;
  #reads: Uint8Array | undefined;

  /** RAM without a hole: a place in the file is an address. */
  constructor(path: string) {
    this.bytes = readFileSync(path);
    this.sizeBytes = this.bytes.length;
    this.regions = [{ gpaStart: 0, sizeBytes: this.sizeBytes, imageOffset: 0 }];
    const frames = Array.from({ length: this.sizeBytes / pageSizeBytes }, (_, pfn) => pfn);
    this.#shown = frames.filter((pfn) => {
      const at = pfn * pageSizeBytes;
      return vmcoreinfoBegin.compare(this.bytes, at, at + vmcoreinfoBegin.length) === 0;
    });
  }

  /** Frames that begin as VMCOREINFO does. */
  get framesShown(): readonly number[] {
    return this.#shown;
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
      }
    }
    this.#order = undefined;
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
    }
    this.#before.clear();
    this.#order = undefined;
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
    this.bytes.copy(target, 0, gpa, gpa + target.length);
    return true;
  }

  readImage(imageOffset: number, target: Uint8Array): void {
    if (!(imageOffset >= 0 && imageOffset + target.length <= this.sizeBytes)) {
      throw new ParsError('image-invalid', `no ${target.length} bytes at ${imageOffset}`);
    }
    this.bytes.copy(target, 0, imageOffset, imageOffset + target.length);
  }

  /** A search sees what begins like VMCOREINFO and what a case has written: there is nothing to find elsewhere. */
  dataAt(imageOffset: number): ImageExtent | undefined {
    this.#order ??= [...new Set([...this.#shown, ...this.#before.keys()])].sort((a, b) => a - b);
    const order = this.#order;
    const from = imageOffset / pageSizeBytes;
    let low = 0;
    for (let high = order.length; low < high;) {
      const middle = (low + high) >>> 1;
      if (order[middle] < from) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low === order.length) {
      return undefined;
    }
    let end = low + 1;
    while (end < order.length && order[end] === order[end - 1] + 1) {
      end++;
    }
    return {
      startOffset: order[low] * pageSizeBytes,
      endOffset: (order[end - 1] + 1) * pageSizeBytes,
    };
  }
}
