// Killed at any moment, a hook loses nothing, sends nothing twice, and shows nothing half.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { flush } from '../../src/hook/send/flush.js';
import { offerSnapshot } from '../../src/hook/take/offer.js';
import { listEntries } from '../../src/spool/entries.js';
import { randomNumbers } from '../e2e/random-numbers.js';
import { timesOf } from '../slice.js';
import { HookPlace } from './hook-place.js';

const adoptionCount = timesOf({ slice: 6, whole: 20 });
/** Enough that some fall into an upload. */
const flushCount = 20;
const imageBytes = 2 ** 21;
const runner = fileURLToPath(new URL('hook-runner.mjs', import.meta.url));

let place: HookPlace;
let running: ChildProcess | undefined;
beforeEach(async () => {
  place = await HookPlace.make();
});
afterEach(async () => {
  if (running?.exitCode === null && running.signalCode === null) {
    running.kill('SIGKILL');
    await once(running, 'exit');
  }
  await place.remove();
});

/** Ends after so long, counted from when it begins to work; undefined: by itself. How long it worked. */
async function run(words: readonly string[], killAfterMs?: number): Promise<number> {
  const child = spawn(process.execPath, [runner, ...words], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  running = child;
  const exited = once(child, 'exit');
  await once(child.stdout, 'data');
  const startMs = performance.now();
  const timer =
    killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  await exited;
  clearTimeout(timer);
  return performance.now() - startMs;
}

test('an adoption that is killed leaves no entry or a whole one, and can be done again', async () => {
  const random = randomNumbers('hook-crash-offer');
  const config = place.writeConfig();
  const hook = await place.context();
  const disk = place.image('disk.img', '');
  writeFileSync(disk, randomBytes(imageBytes));
  const imageOf = (number: number): string => {
    const path = join(place.folder, `${number}.raw`);
    writeFileSync(path, randomBytes(imageBytes));
    return path;
  };
  const words = (image: string) => ['offer', config, 'web', image, disk];
  const images = [imageOf(0)];
  const wholeMs = await run(words(images[0]));
  let cutOffCount = 0;
  while (images.length <= adoptionCount) {
    const image = imageOf(images.length);
    images.push(image);
    const countBefore = place.inSpool('entries').length;
    await run(words(image), random.next() * wholeMs);
    cutOffCount += place.inSpool('entries').length === countBefore ? 1 : 0;
    // Whatever is to be seen is whole.
    const { entries, unreadable } = await listEntries(hook.spool);
    expect(unreadable).toEqual([]);
    for (const { folder } of entries) {
      expect(statSync(join(folder, 'image')).size).toBe(imageBytes);
      expect(readFileSync(join(folder, 'disk-vda.img')).equals(readFileSync(disk))).toBe(true);
    }
  }
  expect(cutOffCount).toBeGreaterThan(0);
  for (const image of images) {
    await offerSnapshot(
      hook,
      place.offered('web', image, {
        disks: [{ name: 'vda', path: disk, sourcePath: '/images/vda', sourceFormat: 'raw' }],
      }),
    );
  }
  const { entries } = await listEntries(hook.spool);
  const found = entries.map(({ folder }) => readFileSync(join(folder, 'image'), 'latin1'));
  const wanted = images.map((image) => readFileSync(image, 'latin1'));
  expect(found.toSorted()).toEqual(wanted.toSorted());
  await flush({ ...hook, pars: ['false'] }, { retryFailed: false });
  expect([...place.inSpool('incoming'), ...place.inSpool('leaving')]).toEqual([]);
});

test('a flush that is killed loses no snapshot and sends none twice, nor two of a VM together', async () => {
  const random = randomNumbers('hook-crash-flush');
  const config = place.writeConfig();
  const hook = await place.context();
  const contents: string[] = [];
  const offer = async (): Promise<void> => {
    const content = `snapshot ${contents.length}`;
    const image = place.image(`${contents.length}.raw`, content);
    contents.push(content);
    await offerSnapshot(hook, place.offered('web', image));
  };
  place.behave({ beforeMs: 30, afterMs: 30 });
  await offer();
  const wholeMs = await run(['flush', config]);
  for (let attempt = 0; attempt < flushCount; attempt++) {
    await offer();
    await run(['flush', config], random.next() * wholeMs);
    expect((await listEntries(hook.spool)).unreadable).toEqual([]);
  }
  // Waits for an upload whose flush was killed, which has the lock.
  await flush(hook, { retryFailed: false, waitForVm: 'web' });
  expect(
    place
      .stored()
      .map(({ content }) => content)
      .toSorted(),
  ).toEqual(contents.toSorted());
  expect(place.overlapped()).toBe(false);
  expect([...place.inSpool('entries'), ...place.inSpool('leaving')]).toEqual([]);
  // Some uploads went on without their flush, and were found in the store instead of being sent again.
  expect(place.calls().some(([command]) => command === 'list')).toBe(true);
});
