// From what was asked for to what packs the runs.
import { AutoCodec } from './auto-codec.js';
import type { CodecChoice, FrameMethod } from './codec-choice.js';
import type { RunCodec } from './run-codec.js';

/** `threadCount` threads pack at once. */
export function chosenCodec(choice: CodecChoice, threadCount: number): RunCodec {
  if (choice === 'auto') {
    return new AutoCodec(threadCount);
  }
  const methods: readonly FrameMethod[] = choice === 'raw' ? [] : [choice];
  return { next: () => methods, packed: () => undefined, taken: () => undefined };
}
