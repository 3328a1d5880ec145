// How a command ends that is told to stop.
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodeOfError, exitCodes } from '../../../src/cli/shared/exit-code.js';
import { type CommandContext, runCommand } from '../../../src/cli/shared/run-command.js';

const write = process.stderr.write.bind(process.stderr);
let said: string[];

beforeEach(() => {
  said = [];
  process.stderr.write = (text) => {
    said.push(String(text));
    return true;
  };
});
afterEach(() => {
  process.stderr.write = write;
  process.exitCode = undefined;
});

async function exitCodeAfterCtrlC(
  work: (context: CommandContext) => Promise<unknown>,
): Promise<unknown> {
  await runCommand({}, async (context) => {
    process.emit('SIGINT');
    await work(context);
    return exitCodes.ok;
  });
  return process.exitCode;
}

test.each<[string, (context: CommandContext) => Promise<unknown>]>([
  [
    'between two steps',
    ({ signal }) => {
      signal.throwIfAborted();
      return Promise.resolve();
    },
  ],
  ['in a wait', ({ signal }) => sleep(1000, undefined, { signal })],
])('a command that is told to stop %s ends as one that was stopped', async (_, work) => {
  expect(await exitCodeAfterCtrlC(work)).toBe(exitCodeOfError.cancelled);
  expect(said.join('')).toMatch(/^pars: stopped before it was done/);
});

test('a defect that shows while a command is stopped is one all the same', async () => {
  const work = () => Promise.reject(new TypeError('x is not a function'));
  expect(await exitCodeAfterCtrlC(work)).toBe(exitCodes.internal);
});
