// Content that is watched for an abort: whatever is read side by side under one signal, nothing stays with that signal.
import { getEventListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { chunksUntilAborted } from '../../src/store/abort.js';

// Listeners that nobody holds are lost when memory is cleared, so that is done often.
setFlagsFromString('--expose-gc');
const clearMemory = runInNewContext('gc') as () => void;

const chunkCount = 100;
/** Memory is cleared so often by each reader: it takes a second where other tests have left much of it. */
const chunksPerClearing = 25;

async function* slowContent(): AsyncGenerator<Uint8Array> {
  for (let chunk = 0; chunk < chunkCount; chunk++) {
    await new Promise((resolve) => setImmediate(resolve));
    yield Uint8Array.of(chunk);
  }
}

test('files written side by side leave no listener with their signal, and Node has nothing to warn of', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => {
    if (warning.name === 'MaxListenersExceededWarning') {
      warnings.push(warning);
    }
  };
  process.on('warning', onWarning);
  const stop = AbortSignal.any([new AbortController().signal]);
  const read = async (): Promise<number> => {
    let count = 0;
    for await (const chunk of chunksUntilAborted(slowContent(), stop, 'reading')) {
      count += chunk.length;
      if (count % chunksPerClearing === 0) {
        clearMemory();
      }
    }
    return count;
  };
  try {
    expect(await Promise.all([read(), read(), read()])).toEqual([
      chunkCount,
      chunkCount,
      chunkCount,
    ]);
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.off('warning', onWarning);
  }
  expect(getEventListeners(stop, 'abort')).toEqual([]);
  expect(warnings).toEqual([]);
});

test('an abort is heard while a chunk is awaited that never comes', async () => {
  const abort = new AbortController();
  async function* hanging(): AsyncGenerator<Uint8Array> {
    await new Promise(() => undefined);
  }
  const chunks = chunksUntilAborted(hanging(), abort.signal, 'reading');
  const next = chunks.next();
  abort.abort();
  await expect(next).rejects.toMatchObject({ code: 'cancelled' });
  expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
});
