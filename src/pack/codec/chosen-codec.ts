// From what was asked for to what packs the runs.
import { availableParallelism } from 'node:os';
import { BusyProcessors } from '../../host/busy-processors.js';
import { AutoCodec } from './auto-codec.js';
import type { CodecChoice, FrameMethod } from './codec-choice.js';
import type { RunCodec } from './run-codec.js';

/** `threadCount` threads pack at once. */
export function chosenCodec(choice: CodecChoice, threadCount: number): RunCodec {
  if (choice === 'auto') {
    const processors = new BusyProcessors();
    return new AutoCodec(threadCount, availableParallelism(), () => processors.seconds());
  }
  const methods: readonly FrameMethod[] = choice === 'raw' ? [] : [choice];
  return { next: () => methods, packed: () => undefined, taken: () => undefined };
}
