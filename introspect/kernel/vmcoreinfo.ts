// VMCOREINFO: the page of `KEY=VALUE` lines a kernel keeps about itself for crash dumps (kernel/vmcore_info.c, before
// 6.9 kernel/crash_core.c; Documentation/admin-guide/kdump/vmcoreinfo.rst). It is the way in: found by its first line
// at the start of a page, it names the page tables, and from 6.0 on the kallsyms tables.
//
// Copies may lie about (an earlier boot's, a crash kernel's, a program's that means harm), so a hit is only a candidate
// until the kernel that it leads to is shown to keep its VMCOREINFO in this very page (kernel.ts).
import { pageSizeBytes, type PhysicalMemory } from '../memory/physical-memory.js';

const firstKey = 'OSRELEASE=';
const firstWord = Buffer.from(firstKey).readUInt32LE(0);
/** Read per step of the scan: enough that the system call does not count, and little enough for a CPU's own cache. */
const scanStepBytes = 256 * 1024;

export class Vmcoreinfo {
  readonly #values: ReadonlyMap<string, string>;

  constructor(values: ReadonlyMap<string, string>) {
    this.#values = values;
  }

  get release(): string {
    return this.#values.get('OSRELEASE') ?? '';
  }

  /** Hex digits, empty before 5.9. */
  get buildId(): string {
    return this.#values.get('BUILD-ID') ?? '';
  }

  /** A kernel virtual address. For `mem_section` and `vmemmap` it is the variable's value instead. */
  symbol(name: string): bigint | undefined {
    const text = this.#values.get(`SYMBOL(${name})`);
    return text !== undefined && /^[0-9a-f]{1,16}$/.test(text) ? BigInt(`0x${text}`) : undefined;
  }

  /** Signed decimal, or hex with 0x. */
  number(name: string): bigint | undefined {
    return integer(this.#values.get(`NUMBER(${name})`));
  }

  length(name: string): number | undefined {
    return small(this.#values.get(`LENGTH(${name})`));
  }

  /** Size of a structure in bytes. */
  sizeBytes(name: string): number | undefined {
    return small(this.#values.get(`SIZE(${name})`));
  }

  /** Where a member stands in its structure, `page.flags` for one. */
  offsetBytes(name: string): number | undefined {
    return small(this.#values.get(`OFFSET(${name})`));
  }

  /** How far KASLR has moved the kernel's virtual addresses. */
  get kernelOffset(): bigint | undefined {
    return integer(`0x${this.#values.get('KERNELOFFSET') ?? ''}`);
  }

  get pageSizeBytes(): number | undefined {
    return small(this.#values.get('PAGESIZE'));
  }
}

/** Undefined when the page does not hold VMCOREINFO text. */
export function parseVmcoreinfo(page: Uint8Array): Vmcoreinfo | undefined {
  const end = page.indexOf(0);
  const text = Buffer.from(page.subarray(0, end < 0 ? page.length : end)).toString('latin1');
  // The format string in the kernel's read-only data begins alike but holds a conversion.
  if (!text.startsWith(firstKey) || text.startsWith(`${firstKey}%`)) {
    return undefined;
  }
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const equals = line.indexOf('=');
    if (equals > 0) {
      values.set(line.slice(0, equals), line.slice(equals + 1));
    }
  }
  return new Vmcoreinfo(values);
}

/** A page that begins like VMCOREINFO, and where it lies in the image that was looked through, in bytes. */
export interface VmcoreinfoPage {
  readonly vmcoreinfo: Vmcoreinfo;
  readonly imageOffset: number;
}

/** Every page of the image that begins like VMCOREINFO, in image order. */
export function* scanVmcoreinfo(memory: PhysicalMemory): Generator<VmcoreinfoPage> {
  const step = Buffer.allocUnsafe(Math.min(scanStepBytes, memory.sizeBytes));
  const words = new Uint32Array(step.buffer, step.byteOffset, step.length / 4);
  for (let offset = 0; offset < memory.sizeBytes; offset += step.length) {
    const length = Math.min(step.length, memory.sizeBytes - offset);
    memory.readImage(offset, step.subarray(0, length));
    for (let at = 0; at < length; at += pageSizeBytes) {
      if (words[at / 4] === firstWord) {
        const found = parseVmcoreinfo(step.subarray(at, at + pageSizeBytes));
        if (found !== undefined) {
          yield { vmcoreinfo: found, imageOffset: offset + at };
        }
      }
    }
  }
}

function integer(text: string | undefined): bigint | undefined {
  if (text === undefined || !/^(-?\d{1,20}|0x[0-9a-f]{1,16})$/.test(text)) {
    return undefined;
  }
  return BigInt(text);
}

function small(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
