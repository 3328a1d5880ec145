// What waits is sent, in order, once; what does not go through stays, with its reason and its time.
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { exitCodeOfFlush, flushAnswer, flushSentence } from '../../../src/cli/hook/flush.js';
import type { HookContext } from '../../../src/hook/hook-context.js';
import { flush, type FlushResult } from '../../../src/hook/send/flush.js';
import { offerSnapshot } from '../../../src/hook/take/offer.js';
import { readAttempts, writeAttempts } from '../../../src/spool/attempts.js';
import { listEntries } from '../../../src/spool/entries.js';
import { tryLock } from '../../../src/spool/lock.js';
import { makeFolderOfOther, testAsRoot } from '../../host/other-user.js';
import { HookPlace } from '../hook-place.js';

let place: HookPlace;
beforeEach(async () => {
  place = await HookPlace.make();
});
afterEach(() => place.remove());

const usual = { retryFailed: false };

/** A snapshot of each VM, in this order, a second apart. */
async function offerAll(hook: HookContext, vms: readonly string[]): Promise<void> {
  for (const [at, vm] of vms.entries()) {
    const image = place.image(`${at}.raw`, `${at} of ${vm}`, 1000 * (at + 1));
    await offerSnapshot(hook, place.offered(vm, image));
  }
}

const exitCodeOf = (result: FlushResult): number =>
  exitCodeOfFlush(result, new AbortController().signal);

const contents = (): readonly string[] => place.stored().map(({ content }) => content);

test('everything is sent, each VM in the order of its moments', async () => {
  const hook = await place.context('policy: lean\nupload: {bandwidth: 5M, codec: zstd:9}');
  await offerAll(hook, ['web', 'db', 'web', 'db', 'web']);
  const result = await flush(hook, usual);
  expect(exitCodeOf(result)).toBe(0);
  expect(result.sentCount).toBe(5);
  expect(contents()).toEqual(['0 of web', '1 of db', '2 of web', '3 of db', '4 of web']);
  expect(place.inSpool('entries')).toEqual([]);
  expect(place.inSpool('leaving')).toEqual([]);
  expect(place.calls()[0]).toEqual([
    'upload',
    ...['--captured', expect.stringContaining(place.spool) as string],
    ...['--policy', 'lean', '--json', '--codec', 'zstd:9', '--bandwidth', `${5 * 2 ** 20}`],
  ]);
  expect(place.metrics()).toContain('pars_last_upload_bytes{vm="web"} 3000\n');
  expect(place.metrics()).toContain('pars_spool_entries 0\n');
});

test.each([7, 8])(
  'while the store says %d nothing more is tried, and it stays',
  async (exitCode) => {
    const hook = await place.context();
    await offerAll(hook, ['web', 'db']);
    place.behave({ awayExitCode: exitCode });
    const result = await flush(hook, usual);
    expect(exitCodeOf(result)).toBe(7);
    expect(place.calls()).toHaveLength(1);
    const { entries } = await listEntries(hook.spool);
    expect(entries.map(({ attempts }) => [attempts.count, attempts.state])).toEqual([
      [1, 'waiting'],
      [0, 'waiting'],
    ]);
    expect(entries[0].attempts.lastError).toEqual({
      exitCode,
      message: `exit code ${exitCode}: pars: the store is away`,
    });
    expect(place.metrics()).toContain('pars_uploads_failed_total{vm="web"} 1\n');
    // Not before its time, unless somebody waits for it.
    place.behave({});
    expect(exitCodeOf(await flush(hook, usual))).toBe(7);
    expect(contents()).toEqual(['1 of db']);
    expect(exitCodeOf(await flush(hook, { retryFailed: false, waitForVm: 'web' }))).toBe(0);
    expect(contents()).toEqual(['0 of web', '1 of db']);
  },
);

test('what fails for another reason is kept as failed, and holds up nobody', async () => {
  const hook = await place.context();
  await offerAll(hook, ['web', 'web', 'db']);
  place.behave({ exitCodeByVm: { web: 3 } });
  expect(exitCodeOf(await flush(hook, usual))).toBe(3);
  expect(contents()).toEqual(['2 of db']);
  const { entries } = await listEntries(hook.spool);
  expect(entries.map(({ attempts }) => attempts.state)).toEqual(['failed', 'failed']);
  place.behave({});
  expect(exitCodeOf(await flush(hook, usual))).toBe(3);
  expect(exitCodeOf(await flush(hook, { retryFailed: true }))).toBe(0);
  expect(contents()).toEqual(['0 of web', '1 of web', '2 of db']);
});

test('what failed is tried again after its day', async () => {
  const hook = await place.context();
  await offerAll(hook, ['web']);
  place.behave({ exitCode: 11 });
  await flush(hook, usual);
  const [{ folder, attempts }] = (await listEntries(hook.spool)).entries;
  expect(attempts.nextMs - (attempts.lastMs ?? 0)).toBe(24 * 3_600_000);
  await writeAttempts(folder, { ...attempts, nextMs: Date.now() - 1 });
  place.behave({});
  expect(exitCodeOf(await flush(hook, usual))).toBe(0);
});

test.each([20, 21, 22])('exit code %d means that it is stored', async (exitCode) => {
  const hook = await place.context();
  await offerAll(hook, ['web']);
  place.behave({ exitCode });
  expect(exitCodeOf(await flush(hook, usual))).toBe(0);
  expect(place.inSpool('entries')).toEqual([]);
});

test('an upload over its time is stopped and tried later', async () => {
  const hook = await place.context('upload: {timeout: 600ms}');
  await offerAll(hook, ['web']);
  place.behave({ beforeMs: 60_000 });
  expect(exitCodeOf(await flush(hook, usual))).toBe(7);
  const [{ attempts }] = (await listEntries(hook.spool)).entries;
  expect(attempts.state).toBe('waiting');
  expect(attempts.lastError?.message).toContain('the time limit');
  expect(attempts.lastError?.exitCode).toBeUndefined();
});

test('an upload that was cut off after its snapshot came into view is not sent again', async () => {
  const hook = await place.context('upload: {timeout: 1s}');
  await offerAll(hook, ['web']);
  place.behave({ afterMs: 60_000 });
  expect(exitCodeOf(await flush(hook, usual))).toBe(7);
  expect(place.stored()).toHaveLength(1);
  place.behave({});
  const calm = await place.context();
  expect(exitCodeOf(await flush(calm, { retryFailed: false, waitForVm: 'web' }))).toBe(0);
  expect(place.stored()).toHaveLength(1);
  expect(place.inSpool('entries')).toEqual([]);
});

test('an entry that was sent but not removed is removed, not sent', async () => {
  const hook = await place.context();
  await offerAll(hook, ['web']);
  const [{ name, vm, createdMs }] = (await listEntries(hook.spool)).entries;
  const sent = { entry: name, vm, createdMs, id: '0123456789abcdef', sentMs: 1 };
  // A line that a crash cut short stands before it.
  writeFileSync(
    join(place.spool, 'state', 'sent.jsonl'),
    `{"entry": "we\n${JSON.stringify(sent)}\n`,
  );
  expect(exitCodeOf(await flush(hook, usual))).toBe(0);
  expect(place.calls()).toEqual([]);
  expect(place.inSpool('entries')).toEqual([]);
});

test('while another process sends snapshots of a VM, its entries are left to that one, and said to be', async () => {
  const hook = await place.context();
  await offerAll(hook, ['web', 'db']);
  const lock = await tryLock(place.spool, 'upload', 'web');
  const result = await flush(hook, usual);
  expect(exitCodeOf(result)).toBe(7);
  expect(flushSentence(result)).toBe(
    '1 sent, 1 left in the spool, 1 of them left to another process that is sending',
  );
  expect(flushAnswer(result)).toEqual({
    sentCount: 1,
    remainingCount: 1,
    busyCount: 1,
    unreadableCount: 0,
  });
  expect(contents()).toEqual(['1 of db']);
  await lock?.release();
});

test('two at a time send each snapshot once, and no two of one VM together', async () => {
  const hook = await place.context();
  await offerAll(hook, ['web', 'db', 'web', 'db']);
  place.behave({ beforeMs: 100 });
  await Promise.all([flush(hook, usual), flush(hook, usual), flush(hook, usual)]);
  await flush(hook, usual);
  expect(contents()).toEqual(['0 of web', '1 of db', '2 of web', '3 of db']);
  expect(place.overlapped()).toBe(false);
});

test('a stop ends the upload, and the snapshot waits for the next time without blame', async () => {
  const abort = new AbortController();
  const hook = await place.context('', { signal: abort.signal });
  await offerAll(hook, ['web']);
  place.behave({ beforeMs: 60_000 });
  const flushing = flush(hook, usual);
  while (!existsSync(join(place.store, 'uploading-web'))) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  abort.abort();
  expect(exitCodeOfFlush(await flushing, abort.signal)).toBe(130);
  const [{ folder }] = (await listEntries(hook.spool)).entries;
  const attempts = await readAttempts(folder);
  expect(attempts.state).toBe('waiting');
  expect(attempts.nextMs).toBeLessThanOrEqual(Date.now());
  expect(place.metrics()).not.toContain('pars_uploads_failed_total{vm="web"} 1');
});

test('old entries go where a newer one waits', async () => {
  const hook = await place.context(`spool: {path: ${place.spool}, maxAge: 1h}`);
  await offerAll(hook, ['web', 'web', 'db']);
  place.behave({ awayExitCode: 7 });
  await flush(hook, usual);
  expect(place.dropped()).toMatchObject([{ vm: 'web', reason: 'age' }]);
  expect((await listEntries(hook.spool)).entries.map(({ vm }) => vm)).toEqual(['web', 'db']);
});

test('leftovers of the dead are cleaned, those of the living and of strangers stay', async () => {
  const cleaned: string[] = [];
  const hook = await place.context('', {
    cleanUpCapture: (folder) => {
      cleaned.push(folder);
      return Promise.resolve();
    },
  });
  const incoming = (name: string): string => join(place.spool, 'incoming', name);
  const names = ['web.0123456789abcdef.part', 'db.0123456789abcdef.part', 'notes'];
  for (const name of names) {
    mkdirSync(incoming(name));
  }
  mkdirSync(join(place.spool, 'leaving', 'web.0123456789abcdef'));
  const lock = await tryLock(place.spool, 'capture', 'db');
  await flush(hook, usual);
  await lock?.release();
  expect(cleaned).toEqual([incoming(names[0])]);
  expect(place.inSpool('incoming').toSorted()).toEqual([names[1], names[2]]);
  expect(place.inSpool('leaving')).toEqual([]);
  expect(hook.logLines.join('')).toContain('that is not of it');
});

test('what cannot be cleaned up yet stays for the next time', async () => {
  const hook = await place.context('', {
    cleanUpCapture: () => Promise.reject(new Error('QEMU does not answer')),
  });
  const name = 'web.0123456789abcdef.part';
  mkdirSync(join(place.spool, 'incoming', name));
  await flush(hook, usual);
  expect(place.inSpool('incoming')).toEqual([name]);
  expect(hook.logLines.join('')).toContain('QEMU does not answer');
});

test('an entry that cannot be read stays, and is a failure', async () => {
  const hook = await place.context();
  await offerAll(hook, ['web']);
  const folder = join(place.spool, 'entries', 'db.0123456789abcdef');
  mkdirSync(folder);
  writeFileSync(join(folder, 'captured.json'), '{"version": 1}');
  expect(exitCodeOf(await flush(hook, usual))).toBe(3);
  expect(place.inSpool('entries')).toEqual(['db.0123456789abcdef']);
});

test('an entry that takes nothing of the disk is told like any other that cannot be read', async () => {
  const hook = await place.context();
  symlinkSync('/nowhere', join(place.spool, 'entries', 'db.0123456789abcdef'));
  expect(exitCodeOf(await flush(hook, usual))).not.toBe(0);
  expect(hook.logLines.join('')).toContain('db.0123456789abcdef');
});

test('after a VM was stored, the retention rule is applied to it', async () => {
  const hook = await place.context('retention: {keepLast: 3, keepDaily: 7}');
  await offerAll(hook, ['web']);
  place.behave({ forgetExitCode: 9 });
  expect(exitCodeOf(await flush(hook, usual))).toBe(9);
  expect(place.calls().at(-1)).toEqual([
    'forget',
    ...['--name', 'web', '--keep-last', '3', '--keep-daily', '7'],
  ]);
  await flush(hook, usual);
  expect(place.calls().filter(([command]) => command === 'forget')).toHaveLength(1);
});

test('locks of entries that are gone go too, those of others at work stay', async () => {
  const hook = await place.context();
  await offerAll(hook, ['web']);
  const held = await tryLock(place.spool, 'entry', 'db.0123456789abcdef');
  await flush(hook, usual);
  await flush(hook, usual);
  const locks = (): readonly string[] => readdirSync(join(place.spool, 'locks')).toSorted();
  expect(locks().filter((name) => name.startsWith('entry.'))).toEqual([
    'entry.db.0123456789abcdef',
  ]);
  await held?.release();
  await flush(hook, usual);
  expect(locks().filter((name) => name.startsWith('entry.'))).toEqual([]);
});

testAsRoot(
  'a spool that another user made first is refused, and so is one he may write to',
  async () => {
    makeFolderOfOther(place.spool, 0o700);
    await expect(place.context()).rejects.toMatchObject({ code: 'permission-denied' });
    chownSync(place.spool, 0, 0);
    chmodSync(place.spool, 0o777);
    await expect(place.context()).rejects.toMatchObject({ code: 'permission-denied' });
    expect(readdirSync(place.spool)).toEqual([]);
  },
);
