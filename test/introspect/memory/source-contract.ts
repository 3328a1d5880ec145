// What every container of guest RAM owes its readers, whatever its form: one suite that each source runs.
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import type { MemoryImage } from '../../../introspect/memory/memory-image.js';
import {
  type MemoryRegion,
  pageSizeBytes,
  type PhysicalMemory,
} from '../../../introspect/memory/physical-memory.js';
import { ParsError } from '../../../introspect/pars-error.js';

/** A container on disk, and what it must be found to hold. */
export interface SourceSample {
  readonly open: () => MemoryImage;
  /** The regions of the first view. */
  readonly regions: readonly MemoryRegion[];
  /** The whole image. */
  readonly bytes: Buffer;
  /** What says where the pages are: damage to it must never do more than fail. */
  readonly headers: readonly HeaderRange[];
  /** A file of the container and sizes that it must not be cut to unnoticed. */
  readonly truncation: { readonly path: string; readonly sizesBytes: readonly number[] };
}

export interface HeaderRange {
  readonly path: string;
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Damaged headers tried per source. */
const fuzzCount = 2000;
/** Far above what any header here needs, far below what a wrong length asks for. */
const allocationLimitBytes = 48 * 2 ** 20;
const caseLimitMs = 2000;

/** `makeSource` writes the container into an empty folder. */
export function sourceContract(name: string, makeSource: (folder: string) => SourceSample): void {
  describe(`${name} keeps the contract of sources`, () => {
    let folder: string;
    let sample: SourceSample;
    let image: MemoryImage;
    let memory: PhysicalMemory;

    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'pars-source-'));
      sample = makeSource(folder);
      image = sample.open();
      memory = image.views[0];
    });
    afterAll(() => {
      image.close();
      rmSync(folder, { recursive: true });
    });

    test('its regions are those of the guest, ascending, in whole pages, one after the other in the image', () => {
      expect(memory.regions).toEqual(sample.regions);
      expect(memory.sizeBytes).toBe(sample.bytes.length);
      image.views.forEach(expectOrder);
    });

    test('the whole image reads as the guest left it', () => {
      for (const view of image.views) {
        const bytes = Buffer.alloc(view.sizeBytes, 0xa5);
        view.readImage(0, bytes);
        expect(bytes.equals(sample.bytes)).toBe(true);
      }
    });

    test('any part of it reads alike by place and by address', () => {
      fc.assert(
        fc.property(
          fc.nat(sample.bytes.length - 1),
          fc.integer({ min: 1, max: 3 * pageSizeBytes }),
          (imageOffset, wanted) => {
            const length = Math.min(wanted, sample.bytes.length - imageOffset);
            const expected = sample.bytes.subarray(imageOffset, imageOffset + length);
            const target = Buffer.alloc(length, 0xa5);
            memory.readImage(imageOffset, target);
            expect(target.equals(expected)).toBe(true);
            const region = sample.regions.findLast((entry) => entry.imageOffset <= imageOffset);
            const within = imageOffset - (region?.imageOffset ?? 0);
            target.fill(0xa5);
            const inRegion = within + length <= (region?.sizeBytes ?? 0);
            expect(memory.read((region?.gpaStart ?? 0) + within, target)).toBe(inRegion);
            expect(!inRegion || target.equals(expected)).toBe(true);
          },
        ),
      );
    });

    test('reads end where a region ends', () => {
      for (const { gpaStart, sizeBytes, imageOffset } of sample.regions) {
        const word = Buffer.alloc(8);
        const expected = (offset: number) => sample.bytes.subarray(offset, offset + 8);
        expect(memory.read(gpaStart, word)).toBe(true);
        expect(word).toEqual(expected(imageOffset));
        expect(memory.read(gpaStart + sizeBytes - 8, word)).toBe(true);
        expect(word).toEqual(expected(imageOffset + sizeBytes - 8));
        expect(memory.read(gpaStart - 1, word)).toBe(false);
        expect(memory.read(gpaStart + sizeBytes - 7, word)).toBe(false);
        expect(memory.read(gpaStart + sizeBytes, word)).toBe(
          sample.regions.some((region) => region.gpaStart === gpaStart + sizeBytes),
        );
      }
    });

    test('a read past the end of the image is refused with the place', () => {
      const past = thrownBy(() => {
        memory.readImage(memory.sizeBytes - 8, Buffer.alloc(16));
      });
      expect(past).toMatchObject({ code: 'image-invalid' });
      expect(past.message).toContain(String(memory.sizeBytes));
    });

    test('what it calls a hole is zero', () => {
      for (const view of image.views) {
        const filled = Buffer.from(sample.bytes);
        let end = 0;
        for (let run = view.dataAt?.(0); run !== undefined; run = view.dataAt?.(end)) {
          expect(run.startOffset).toBeGreaterThanOrEqual(end);
          expect(run.endOffset).toBeGreaterThan(run.startOffset);
          expect(run.endOffset).toBeLessThanOrEqual(view.sizeBytes);
          expect((run.startOffset % pageSizeBytes) + (run.endOffset % pageSizeBytes)).toBe(0);
          filled.fill(0, run.startOffset, run.endOffset);
          end = run.endOffset;
        }
        expect(view.dataAt === undefined || filled.every((byte) => byte === 0)).toBe(true);
      }
    });

    test('it can be opened again and again, and closed', () => {
      for (let round = 0; round < 50; round++) {
        const again = sample.open();
        expect(again.views[0].regions).toEqual(sample.regions);
        again.close();
      }
    });

    test('a container cut short is refused, and the message says where', () => {
      const { path, sizesBytes } = sample.truncation;
      expect(sizesBytes.length).toBeGreaterThan(0);
      const whole = readFileSync(path);
      for (const sizeBytes of sizesBytes) {
        truncateSync(path, sizeBytes);
        const error = thrownBy(() => {
          sample.open().close();
        });
        expect({ sizeBytes, code: error.code }).toEqual({ sizeBytes, code: 'image-invalid' });
        expect(error.message).toMatch(sizeBytes === 0 ? /empty|\d/ : /\d/);
      }
      writeFileSync(path, whole);
    });

    test(`${fuzzCount} damaged headers end in an image or a ParsError, at once and in little memory`, () => {
      const random = randomNumbers(0x5eed);
      const saved = sample.headers.map(({ path }) => readFileSync(path));
      const outcomes = { opened: 0, refused: 0 };
      for (let round = 0; round < fuzzCount; round++) {
        const which = random(sample.headers.length);
        const { path, offset, sizeBytes } = sample.headers[which];
        overwrite(path, damage(saved[which], offset, sizeBytes, random));
        const startMs = performance.now();
        const before = memoryBytes();
        try {
          const opened = sample.open();
          try {
            opened.views.forEach(expectOrder);
            opened.views.forEach(readHereAndThere);
          } finally {
            opened.close();
          }
          outcomes.opened++;
        } catch (error) {
          if (!(error instanceof ParsError)) {
            throw new Error(`round ${round} of ${path}: ${String(error)}`, { cause: error });
          }
          outcomes.refused++;
        }
        expect(memoryBytes() - before).toBeLessThan(allocationLimitBytes);
        expect(performance.now() - startMs).toBeLessThan(caseLimitMs);
        overwrite(path, saved[which]);
      }
      expect(outcomes.opened + outcomes.refused).toBe(fuzzCount);
      expect(outcomes.refused).toBeGreaterThan(0);
    }, 120_000);
  });
}

function expectOrder({ regions, sizeBytes }: PhysicalMemory): void {
  let gpaEnd = 0;
  let imageOffset = 0;
  for (const region of regions) {
    const { gpaStart } = region;
    if (
      gpaStart < gpaEnd ||
      region.sizeBytes <= 0 ||
      gpaStart % pageSizeBytes !== 0 ||
      region.sizeBytes % pageSizeBytes !== 0 ||
      region.imageOffset !== imageOffset
    ) {
      throw new Error(`out of order: ${JSON.stringify(region)} after ${gpaEnd}`);
    }
    gpaEnd = gpaStart + region.sizeBytes;
    imageOffset += region.sizeBytes;
  }
  expect(regions.length).toBeGreaterThan(0);
  expect(sizeBytes).toBe(imageOffset);
}

function readHereAndThere(memory: PhysicalMemory): void {
  const page = Buffer.alloc(pageSizeBytes);
  for (const { gpaStart, sizeBytes } of memory.regions.slice(0, 8)) {
    expect(memory.read(gpaStart, page)).toBe(true);
    expect(memory.read(gpaStart + sizeBytes - pageSizeBytes, page)).toBe(true);
  }
  memory.dataAt?.(0);
}

/** In place: a file system may write a file out at once that is truncated and written anew, thousands of times here. */
function overwrite(path: string, content: Buffer): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, content, 0, content.length, 0);
  ftruncateSync(fd, content.length);
  closeSync(fd);
}

/** Flips bits, writes numbers that lengths go wrong with, or cuts the file. */
function damage(
  intact: Buffer,
  offset: number,
  sizeBytes: number,
  random: (below: number) => number,
): Buffer {
  const damaged = Buffer.from(intact);
  switch (random(4)) {
    case 0:
      return damaged.subarray(0, random(Math.min(offset + sizeBytes, intact.length) + 1));
    case 1: {
      const value = [0x00, 0x01, 0x7f, 0x80, 0xff][random(5)];
      const at = offset + random(sizeBytes);
      damaged.fill(value, at, Math.min(at + 1 + random(8), offset + sizeBytes));
      return damaged;
    }
    default:
      for (let flips = 1 + random(8); flips > 0; flips--) {
        damaged[offset + random(sizeBytes)] ^= 1 << random(8);
      }
      return damaged;
  }
}

/** Random numbers that are the same in every run, so that a round can be repeated (xorshift32). */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function memoryBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function thrownBy(work: () => unknown): ParsError {
  try {
    work();
  } catch (error) {
    if (error instanceof ParsError) {
      return error;
    }
    throw error;
  }
  throw new Error('expected it to throw');
}
