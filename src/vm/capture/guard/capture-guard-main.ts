// The guard's program (capture-guard.ts): `capture-guard.js FOLDER`, told what to do on standard input.
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ParsError } from '../../../../introspect/pars-error.js';
import { cleanUpCapture } from '../clean-up/clean-up-capture.js';
import { type GuardAnswer, parseGuardRequest, streamSocketName } from './guard-protocol.js';
import { receiveStream } from './receive-stream.js';

/** QEMU may still be saving, or its monitor be held by a connection that is going away. */
const cleanUpTimeoutMs = 600_000;

const folder = process.argv[2];

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => undefined);
}
// The capture may be gone.
process.stdout.on('error', () => undefined);

function answer(value: GuardAnswer): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

function problemOf(error: unknown): { code: ParsError['code']; message: string } {
  return error instanceof ParsError
    ? { code: error.code, message: error.message }
    : { code: 'unavailable', message: String(error) };
}

async function receive(path: string, socketPath: string): Promise<void> {
  try {
    const { uri, ended } = await receiveStream(socketPath, path);
    void ended.then((problem) => {
      answer({ ended: problem === undefined ? {} : { problem: problemOf(problem) } });
    });
    answer({ listening: { uri } });
  } catch (error) {
    answer({ refused: problemOf(error) });
  }
}

let isReleased = false;
let streamCount = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const request = parseGuardRequest(line);
  if (request === undefined) {
    // As if the capture had gone: what it has begun is put right.
    break;
  }
  if ('release' in request) {
    isReleased = true;
    break;
  }
  await receive(request.receive, join(folder, streamSocketName(streamCount++)));
}
if (!isReleased) {
  // What cannot be put right within the time is for the next run, which says so.
  await cleanUpCapture(folder, { timeoutMs: cleanUpTimeoutMs, hasLock: true }).catch(
    () => undefined,
  );
}
process.exit(0);
