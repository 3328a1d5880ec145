// What the workloads work on, made the same every time: a genome with a mutated copy in pieces, and a text whose words are
// as unevenly frequent as those of a language (Zipf: the frequency of a word is inverse to its rank).
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MIB = 1 << 20;

export const inputSizes = {
  referenceBases: 5_000_000,
  queryPieceCount: 100,
  textSizeBytes: 24 * MIB,
  wordCount: 60_000,
  wordsPerLine: 80,
} as const;

/** How many bases of the copy differ, per base of the reference. */
const substitutionRate = 0.01;
const deletionRate = 0.001;
const insertionRate = 0.001;

const basesPerLine = 70;
const newline = 0x0a;
const bases = Buffer.from('ACGT');
const consonants = 'bcdfghjklmnprstvwz';
const vowels = 'aeiou';

export function writeInputs(folder: string): void {
  mkdirSync(folder);
  const random = new Random(1);
  const reference = randomGenome(random);
  writeFileSync(join(folder, 'reference.fa'), fasta(['reference'], [reference]));
  const pieces = cut(mutated(reference, random), inputSizes.queryPieceCount);
  const names = pieces.map((_, index) => `piece${index}`);
  writeFileSync(join(folder, 'query.fa'), fasta(names, pieces));
  writeFileSync(join(folder, 'corpus.txt'), randomText(random));
}

/** Marsaglia's xorshift of 32 bits: quick, and the same everywhere. */
class Random {
  #state: number;

  /** `seed`: not 0. */
  constructor(seed: number) {
    this.#state = seed;
  }

  /** In [0, 1). */
  next(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }
}

function randomGenome(random: Random): Buffer {
  const genome = Buffer.alloc(inputSizes.referenceBases);
  for (let at = 0; at < genome.length; at++) {
    genome[at] = bases[random.below(bases.length)];
  }
  return genome;
}

function mutated(genome: Buffer, random: Random): Buffer {
  const copy = Buffer.alloc(2 * genome.length);
  let size = 0;
  for (const base of genome) {
    const chance = random.next();
    if (chance < deletionRate) {
      continue;
    }
    if (chance < deletionRate + insertionRate) {
      copy[size++] = bases[random.below(bases.length)];
    }
    const isOther = chance > 1 - substitutionRate;
    copy[size++] = isOther ? bases[random.below(bases.length)] : base;
  }
  return copy.subarray(0, size);
}

function cut(genome: Buffer, count: number): Buffer[] {
  const sizeBases = Math.ceil(genome.length / count);
  return Array.from({ length: count }, (_, index) =>
    genome.subarray(index * sizeBases, (index + 1) * sizeBases),
  );
}

function fasta(names: readonly string[], sequences: readonly Buffer[]): Buffer {
  return Buffer.concat(
    sequences.flatMap((sequence, index) => {
      const lines: Buffer[] = [Buffer.from(`>${names[index]}\n`)];
      for (let at = 0; at < sequence.length; at += basesPerLine) {
        lines.push(sequence.subarray(at, at + basesPerLine), Buffer.from('\n'));
      }
      return lines;
    }),
  );
}

function randomText(random: Random): Buffer {
  const words = randomWords(random);
  const text = Buffer.alloc(inputSizes.textSizeBytes);
  const logarithm = Math.log(words.length);
  let size = 0;
  for (let number = 1; ; number++) {
    // Evenly spread logarithms of ranks are Zipf's law.
    const word = words[Math.floor(Math.exp(random.next() * logarithm)) - 1];
    if (size + word.length + 1 > text.length) {
      break;
    }
    size += text.write(word, size, 'latin1');
    text[size++] = number % inputSizes.wordsPerLine === 0 ? newline : 0x20;
  }
  text.fill(newline, size);
  return text;
}

/** Words of one to four syllables, shorter ones first, as frequent words are short. */
function randomWords(random: Random): string[] {
  const words = new Set<string>();
  while (words.size < inputSizes.wordCount) {
    const syllableCount = 1 + Math.min(3, Math.floor(Math.log10(1 + words.size / 20)));
    let word = '';
    for (let syllable = 0; syllable < syllableCount; syllable++) {
      word += consonants[random.below(consonants.length)] + vowels[random.below(vowels.length)];
    }
    if (random.next() < 0.5) {
      word += consonants[random.below(consonants.length)];
    }
    words.add(word);
  }
  return [...words];
}
