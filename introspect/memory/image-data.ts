// What of an image may hold anything but zeroes, run by run.
import type { PhysicalMemory } from './physical-memory.js';

/** A run of data, and where it begins in the image, in bytes. */
export interface DataRun extends PhysicalMemory {
  readonly startOffset: number;
}

/** For each run of data an image of its own, at the same addresses: `readImage` counts from where the run begins. */
export function* dataOf(memory: PhysicalMemory): Generator<DataRun> {
  if (memory.dataAt === undefined) {
    yield {
      startOffset: 0,
      regions: memory.regions,
      sizeBytes: memory.sizeBytes,
      read: (gpa, target) => memory.read(gpa, target),
      readImage: (offset, target) => {
        memory.readImage(offset, target);
      },
    };
    return;
  }
  for (let run = memory.dataAt(0); run !== undefined; run = memory.dataAt(run.endOffset)) {
    const { startOffset, endOffset } = run;
    yield {
      startOffset,
      regions: memory.regions,
      sizeBytes: endOffset - startOffset,
      read: (gpa, target) => memory.read(gpa, target),
      readImage: (offset, target) => {
        memory.readImage(startOffset + offset, target);
      },
    };
  }
}
