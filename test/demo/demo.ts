// The demo's own process: runs the story in the folder that run.mjs made for it and turns its end into an exit code.
// 0: every promise held. 1: one did not, or something failed. 130 and the like: interrupted.

import { parseArgs } from 'node:util';
import { Cleanup } from './cleanup.js';
import { DemoFailure } from './demo-failure.js';
import { watchForInterruption } from './interruption.js';
import { Narrator } from './narrator.js';
import { type StoryOptions, tellStory } from './story.js';

const { values } = parseArgs({
  options: {
    folder: { type: 'string' },
    hdfs: { type: 'boolean', default: false },
    'hdfs-native': { type: 'boolean', default: false },
  },
});
if (values.folder === undefined) {
  throw new Error('expected --folder; start the demo with npm run demo');
}
// Guests and HDFS make folders of their own: inside ours none can be left behind.
process.env['TMPDIR'] = values.folder;

const narrator = new Narrator();
const cleanup = new Cleanup();
const interruption = watchForInterruption();

async function run(folder: string, store: StoryOptions['store']): Promise<number> {
  try {
    const story = tellStory({ folder, store, narrator, cleanup, signal: interruption.signal });
    await Promise.race([story, interruption.raised]);
    return 0;
  } catch (error) {
    const interruptedExitCode = interruption.exitCode();
    if (interruptedExitCode !== undefined) {
      narrator.fail('interrupted; stopping what was started');
      return interruptedExitCode;
    }
    narrator.fail(
      error instanceof DemoFailure
        ? error.message
        : error instanceof Error
          ? (error.stack ?? error.message)
          : String(error),
    );
    return 1;
  } finally {
    await cleanup.run();
  }
}

const exitCode = await run(
  values.folder,
  values['hdfs-native'] ? 'hdfs' : values.hdfs ? 'webhdfs' : 'folders',
);
// An interrupted story is still waiting somewhere: for a guest that is gone, for one.
process.exit(exitCode);
