// Pages as the program makes them: by a plain Node. Within Jest an array literal is no instance of Array, and by that the
// charting library tells what it was given.
import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { MemoryMapData } from '../../../src/report/html/charts/memory-map.js';
import type { Report } from '../../../src/report/model/report.js';

export interface RenderInput {
  readonly report: Report;
  readonly maps: readonly MemoryMapData[];
}

/** All by one process. */
export function renderedPages(inputs: readonly RenderInput[]): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, 'render-program.ts'), {
      execArgv: ['--import', 'tsx'],
      serialization: 'advanced',
    });
    child.once('message', resolve as (texts: unknown) => void);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      reject(new Error(`expected pages, but the renderer ended with ${code ?? signal}`));
    });
    child.send(inputs);
  });
}
