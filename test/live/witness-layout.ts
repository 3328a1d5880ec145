// What the witnesses of a guest write (test/guest/witness.c), so that the host can judge it without asking them: their
// pages in the RAM, and their records on the disk.
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';

const wordMask = 2n ** 64n - 1n;
const pageWordCount = pageSizeBytes / 8;

export const recordSizeBytes = 256;
export const recordsPerFile = 1024;
export const witnessPageCount = 1024;

/** How a page of either role begins. The same words are made at run time in the guest. */
const firstWord = 0x5041525377697400n ^ 0xc3a5c85c97cb3127n;
const secondWord = 0x5041525377697400n ^ 0xb492b66fbe98f273n;
const roles = { records: 1n, pages: 2n } as const;

export const markOf = (role: keyof typeof roles): Buffer =>
  wordsToBytes([firstWord, secondWord ^ roles[role]]);

const generationAt = 24;
const firstWordOfContent = 4;

export const begunOf = (page: Buffer): number => Number(page.readBigUInt64LE(16));
export const syncedOf = (page: Buffer): number => Number(page.readBigUInt64LE(24));
export const indexOf = (page: Buffer): number => Number(page.readBigUInt64LE(16));
export const generationOf = (page: Buffer): number => Number(page.readBigUInt64LE(generationAt));

/**
 * Whole: everything is of the generation that it says. Half-written: the first words are, all others of the one before,
 * as in the middle of a rewrite. Else it is broken.
 */
export function pageState(page: Buffer): 'whole' | 'half-written' | 'broken' {
  const generation = BigInt(generationOf(page));
  const index = BigInt(indexOf(page));
  let word = sameUntil(page, firstWordOfContent, contentBase(generation, index));
  if (word === pageWordCount) {
    return 'whole';
  }
  word = sameUntil(page, word, contentBase(generation - 1n, index));
  return word === pageWordCount ? 'half-written' : 'broken';
}

/** As the witness writes it, in the middle of a rewrite after so many words of content. */
export function pageOf(index: number, generation: number, newWordCount = pageWordCount): Buffer {
  const words = [BigInt(index), BigInt(generation)];
  for (let word = firstWordOfContent; word < pageWordCount; word++) {
    const isNew = word - firstWordOfContent < newWordCount;
    const base = contentBase(BigInt(isNew ? generation : generation - 1), words[0]);
    words.push((base + BigInt(word)) & wordMask);
  }
  return Buffer.concat([markOf('pages'), wordsToBytes(words)]);
}

export function recordOf(number: number): Buffer {
  const count = recordSizeBytes / 8;
  const words = [BigInt(number)];
  let checksum = words[0];
  for (let word = 1; word < count - 1; word++) {
    words.push(((words[0] + BigInt(word)) * 0x9e3779b97f4a7c15n) & wordMask);
    checksum ^= words[word];
  }
  return wordsToBytes([...words, ~checksum & wordMask]);
}

/** A word of content is this and its place. */
function contentBase(generation: bigint, index: bigint): bigint {
  return generation * 0x9e3779b97f4a7c15n + index * 0xff51afd7ed558ccdn;
}

/** The first word that is not of that base. */
function sameUntil(page: Buffer, firstWord: number, base: bigint): number {
  let word = firstWord;
  let expected = (base + BigInt(word)) & wordMask;
  while (word < pageWordCount && page.readBigUInt64LE(word * 8) === expected) {
    word++;
    expected = (expected + 1n) & wordMask;
  }
  return word;
}

function wordsToBytes(words: readonly bigint[]): Buffer {
  const bytes = Buffer.alloc(words.length * 8);
  words.forEach((word, index) => bytes.writeBigUInt64LE(word, index * 8));
  return bytes;
}
