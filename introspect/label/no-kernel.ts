// Why an image without VMCOREINFO shows no kernel, as far as its bytes tell. Nothing hangs on it but the sentence: every
// page is kept as critical anyway.
import { refusedFormatOf, refusedHeadBytes } from '../memory/formats/refused-formats.js';
import { dataOf } from '../memory/image-data.js';
import { pageSizeBytes, type PhysicalMemory } from '../memory/physical-memory.js';

/** What only one kind of guest has in memory. The first that is found is named. */
const marks: readonly { readonly text: string; readonly reason: string }[] = [
  {
    text: 'Linux version ',
    reason:
      'a Linux kernel without VMCOREINFO: one that had not finished booting, or was built without CONFIG_VMCORE_INFO (to 6.8: CONFIG_CRASH_CORE)',
  },
  { text: 'ntoskrnl.exe', reason: 'a Windows guest: only Linux kernels are understood' },
  { text: '@(#)FreeBSD', reason: 'a FreeBSD guest: only Linux kernels are understood' },
  { text: '@(#)NetBSD', reason: 'a NetBSD guest: only Linux kernels are understood' },
];
const scanStepBytes = 256 * 1024;
const sampleCount = 2048;
/** Shannon entropy of a page of random bytes is 7.95 bits per byte; of compressed data less, of anything else far less. */
const randomEntropyBits = 7.9;
/** A guest in use has zero pages, text and tables; ciphertext and compressed data have none of them. */
const noiseShare = 0.9;

/** One sentence without its end. Reads the image once. */
export function reasonWithoutKernel(memory: PhysicalMemory): string {
  const head = Buffer.alloc(Math.min(refusedHeadBytes, memory.sizeBytes));
  memory.readImage(0, head);
  const format = refusedFormatOf(head);
  if (format !== undefined) {
    return `it begins as what is ${format}: probably no RAM`;
  }
  if (isNoise(memory)) {
    return 'its bytes look encrypted (SEV or TDX) or compressed: nothing in it can be told apart';
  }
  const found = marks.find(({ text }) => contains(memory, Buffer.from(text, 'latin1')));
  return found?.reason ?? 'no VMCOREINFO page: not a Linux guest, or not its whole memory';
}

function isNoise(memory: PhysicalMemory): boolean {
  const pageCount = memory.sizeBytes / pageSizeBytes;
  const step = Math.max(1, Math.floor(pageCount / sampleCount));
  const page = new Uint8Array(pageSizeBytes);
  let sampled = 0;
  let random = 0;
  for (let index = 0; index < pageCount; index += step) {
    memory.readImage(index * pageSizeBytes, page);
    sampled++;
    if (entropyBits(page) > randomEntropyBits) {
      random++;
    }
  }
  return random > sampled * noiseShare;
}

/** Shannon entropy per byte, 0 to 8. */
function entropyBits(bytes: Uint8Array): number {
  const counts = new Uint32Array(256);
  for (const byte of bytes) {
    counts[byte]++;
  }
  return counts.reduce((sum, count) => {
    const share = count / bytes.length;
    return count === 0 ? sum : sum - share * Math.log2(share);
  }, 0);
}

function contains(memory: PhysicalMemory, text: Buffer): boolean {
  const overlapBytes = text.length - 1;
  for (const data of dataOf(memory)) {
    const piece = Buffer.alloc(overlapBytes + scanStepBytes);
    for (let offset = 0; offset < data.sizeBytes; offset += scanStepBytes) {
      const length = Math.min(scanStepBytes, data.sizeBytes - offset);
      piece.copyWithin(0, scanStepBytes);
      data.readImage(offset, piece.subarray(overlapBytes, overlapBytes + length));
      if (piece.subarray(0, overlapBytes + length).includes(text)) {
        return true;
      }
    }
  }
  return false;
}
