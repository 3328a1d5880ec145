// What of an image may hold anything but zeroes, run by run.
import type { PhysicalMemory } from './physical-memory.js';

/** For each run of data an image of its own, at the same addresses: `readImage` counts from where the run begins. */
export function* dataOf(memory: PhysicalMemory): Generator<PhysicalMemory> {
  if (memory.dataAt === undefined) {
    yield memory;
    return;
  }
  for (let run = memory.dataAt(0); run !== undefined; run = memory.dataAt(run.endOffset)) {
    const { startOffset, endOffset } = run;
    yield {
      regions: memory.regions,
      sizeBytes: endOffset - startOffset,
      read: (gpa, target) => memory.read(gpa, target),
      readImage: (offset, target) => {
        memory.readImage(startOffset + offset, target);
      },
    };
  }
}
