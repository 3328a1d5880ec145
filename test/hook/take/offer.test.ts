// Files of others come into the spool: linked or copied, whole, once, and within its limits.
import {
  appendFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { flush } from '../../../src/hook/send/flush.js';
import { captureIntoSpool } from '../../../src/hook/take/capture-into-spool.js';
import { offerSnapshot } from '../../../src/hook/take/offer.js';
import { allocatedBytes } from '../../../src/spool/allocated-bytes.js';
import { readCaptured } from '../../../src/spool/captured.js';
import { listEntries } from '../../../src/spool/entries.js';
import { tryLock } from '../../../src/spool/lock.js';
import { HookPlace } from '../hook-place.js';

let place: HookPlace;
beforeEach(async () => {
  place = await HookPlace.make();
});
afterEach(() => place.remove());

const entryFolder = (name = place.inSpool('entries')[0]): string =>
  join(place.spool, 'entries', name);

test('an entry names all that was offered, and holds its bytes', async () => {
  const hook = await place.context();
  const disk = 'disk'.repeat(128);
  const image = place.image('web.raw', 'ram', 1_700_000_000_500);
  const offered = place.offered('web', image, {
    format: 'raw',
    state: place.image('web.state', 'devices'),
    machine: place.image('cmdline', 'qemu\0'),
    disks: [
      {
        name: 'vda',
        path: place.image('disk.img', disk),
        sourcePath: '/images/web.qcow2',
        sourceFormat: 'qcow2',
      },
    ],
  });
  writeFileSync(`${image}.map.json`, '{}');
  expect(await offerSnapshot(hook, offered)).toBe('spooled');
  const captured = await readCaptured(entryFolder());
  expect(captured).toEqual({
    version: 1,
    vm: 'web',
    createdMs: 1_700_000_000_500,
    source: 'test',
    image: { file: 'image', format: 'raw' },
    state: 'state',
    machine: 'machine',
    disks: [
      {
        name: 'vda',
        file: 'disk-vda.img',
        sourcePath: '/images/web.qcow2',
        sourceFormat: 'qcow2',
      },
    ],
  });
  const contentOf = (name: string): string => readFileSync(join(entryFolder(), name), 'utf8');
  expect(['image', 'state', 'machine', 'disk-vda.img', 'image.map.json'].map(contentOf)).toEqual([
    'ram',
    'devices',
    'qemu\0',
    disk,
    '{}',
  ]);
  expect(place.inSpool('incoming')).toEqual([]);
});

test('a folder comes as a folder', async () => {
  const folder = join(place.folder, 'ch');
  mkdirSync(folder);
  for (const name of ['config.json', 'state.json', 'memory-ranges']) {
    writeFileSync(join(folder, name), name);
  }
  await offerSnapshot(await place.context(), place.offered('web', folder));
  expect(readdirSync(join(entryFolder(), 'image')).toSorted()).toEqual([
    'config.json',
    'memory-ranges',
    'state.json',
  ]);
});

test('a file is linked only for an owner who says so', async () => {
  const hook = await place.context();
  const copied = place.image('a.raw', 'a');
  const linked = place.image('b.raw', 'b');
  const byName = join(place.folder, 'c.raw');
  symlinkSync(place.image('real.raw', 'c'), byName);
  await offerSnapshot(hook, place.offered('a', copied));
  await offerSnapshot(hook, place.offered('b', linked, { link: true }));
  await offerSnapshot(hook, place.offered('c', byName, { link: true }));
  const inodeOf = async (vm: string): Promise<number> => {
    const { entries } = await listEntries(hook.spool);
    const entry = entries.find((candidate) => candidate.vm === vm);
    return statSync(join(entry?.folder ?? '', 'image')).ino;
  };
  expect(await inodeOf('a')).not.toBe(statSync(copied).ino);
  expect(await inodeOf('b')).toBe(statSync(linked).ino);
  expect(await inodeOf('c')).toBe(statSync(byName).ino);
});

test('a copy keeps holes', async () => {
  const image = place.image('sparse.raw', 'head');
  truncateSync(image, 2 ** 28);
  await offerSnapshot(await place.context(), place.offered('web', image));
  expect(statSync(join(entryFolder(), 'image')).size).toBe(2 ** 28);
  expect(await allocatedBytes(entryFolder())).toBeLessThan(2 ** 20);
});

test('what was offered before is known again, in the spool and after it was sent', async () => {
  const hook = await place.context();
  const offered = place.offered('web', place.image('web.raw', 'ram'));
  expect(await offerSnapshot(hook, offered)).toBe('spooled');
  expect(await offerSnapshot(hook, { ...offered, createdMs: 5 })).toBe('known');
  await flush(hook, { retryFailed: false });
  expect(place.inSpool('entries')).toEqual([]);
  expect(await offerSnapshot(hook, offered)).toBe('known');
  expect(place.stored()).toHaveLength(1);
  appendFileSync(offered.image, 'changed');
  expect(await offerSnapshot(hook, offered)).toBe('spooled');
});

test('offered twice at a time, it is taken once', async () => {
  const hook = await place.context();
  const offered = place.offered('web', place.image('web.raw', 'ram'));
  const results = await Promise.all([1, 2, 3].map(() => offerSnapshot(hook, offered)));
  expect(results.toSorted()).toEqual(['known', 'known', 'spooled']);
});

test('two snapshots of a VM with the same time get moments of their own', async () => {
  const hook = await place.context();
  await offerSnapshot(hook, place.offered('web', place.image('1.raw', 'one', 5000)));
  await offerSnapshot(hook, place.offered('web', place.image('2.raw', 'two', 5000)));
  const { entries } = await listEntries(hook.spool);
  expect(entries.map(({ createdMs }) => createdMs)).toEqual([5000, 5001]);
});

test.each([
  ['a VM without a fit name', { vm: 'a/b' }, 'usage'],
  ['a disk named twice', { disks: ['vda', 'vda'] }, 'usage'],
  ['a disk that is no raw image', { disks: ['qcow2'] }, 'unsupported'],
  ['an image that is not there', { image: '/nonexistent' }, 'not-found'],
  ['an empty image', { content: '' }, 'image-invalid'],
])('%s is refused, and leaves nothing', async (_, wrong, code) => {
  const {
    vm = 'web',
    disks = [],
    content = 'ram',
    image,
  } = wrong as {
    readonly vm?: string;
    readonly disks?: readonly string[];
    readonly content?: string;
    readonly image?: string;
  };
  const offered = place.offered(vm, place.image('web.raw', content), {
    disks: disks.map((name) => ({
      name,
      path: place.image('disk', 'disk'.repeat(128)),
      sourcePath: '/x',
      sourceFormat: 'raw',
    })),
  });
  if (disks[0] === 'qcow2') {
    const head = Buffer.alloc(512);
    head.write('QFI\xfb', 'latin1');
    writeFileSync(offered.disks[0].path, head);
  }
  const hook = await place.context();
  await expect(
    offerSnapshot(hook, { ...offered, ...(image === undefined ? {} : { image }) }),
  ).rejects.toMatchObject({ code });
  expect([...place.inSpool('entries'), ...place.inSpool('incoming')]).toEqual([]);
});

test('a full spool drops the older of a VM for a new one, and says so three times', async () => {
  const hook = await place.context(`spool: {path: ${place.spool}, maxSize: 180K}`);
  const content = 'x'.repeat(60_000);
  for (const [at, vm] of ['web', 'web', 'web', 'db'].entries()) {
    const image = place.image(`${at}.raw`, `${at}${content}`, 1000 * (at + 1));
    await offerSnapshot(hook, place.offered(vm, image));
  }
  const { entries } = await listEntries(hook.spool);
  expect(entries.map(({ vm, createdMs }) => [vm, createdMs])).toEqual([
    ['web', 3000],
    ['db', 4000],
  ]);
  expect(place.dropped()).toMatchObject([
    { vm: 'web', created: '1970-01-01T00:00:01.000Z', reason: 'size' },
    { vm: 'web', created: '1970-01-01T00:00:02.000Z', reason: 'size' },
  ]);
  expect(hook.logLines.filter((line) => line.includes('was dropped unsent'))).toHaveLength(2);
  await hook.metrics.write();
  expect(place.metrics()).toContain('pars_spool_dropped_total{vm="web"} 2\n');
});

test('where only newest ones wait, a new snapshot is refused', async () => {
  const hook = await place.context(`spool: {path: ${place.spool}, maxSize: 100K}`);
  await offerSnapshot(hook, place.offered('web', place.image('1.raw', 'x'.repeat(60_000), 1)));
  for (const vm of ['web', 'db']) {
    const image = place.image(`${vm}.raw`, 'y'.repeat(60_000));
    await expect(offerSnapshot(hook, place.offered(vm, image))).rejects.toMatchObject({
      code: 'no-space',
      message: expect.stringContaining('spool.maxSize is 102400 bytes') as string,
    });
  }
  const { entries } = await listEntries(hook.spool);
  expect(entries.map(({ createdMs }) => createdMs)).toEqual([1]);
  expect(place.dropped()).toEqual([]);
  expect(place.inSpool('incoming')).toEqual([]);
});

describe('a running VM', () => {
  const live = { vm: 'web', qmpPath: '/run/web.qmp', source: 'qmp' };
  const captureOf = (sizeBytes: number) => (request: { readonly folder: string }) => {
    const imagePath = join(request.folder, 'ram');
    writeFileSync(imagePath, Buffer.alloc(sizeBytes, 7));
    return Promise.resolve({
      createdMs: 1234,
      way: 'background-snapshot' as const,
      downtimeMs: 17,
      imagePath,
      format: 'migration' as const,
      statePath: undefined,
      machinePath: undefined,
      disks: [],
      notHeld: [],
      changedDevices: { added: ['dimm1'], removed: [] },
    });
  };

  test('is captured as the configuration says for it', async () => {
    const requests: unknown[] = [];
    const hook = await place.context(
      'capture: {maxDowntime: 300ms, bandwidth: 1M}\nvms: {web: {disks: false, machine: /m}}',
      {
        captureVm: (request) => {
          requests.push(request);
          return captureOf(3)(request);
        },
      },
    );
    await captureIntoSpool(hook, live);
    expect(requests).toMatchObject([
      {
        qmpPath: '/run/web.qmp',
        withoutDisks: true,
        maxDowntimeMs: 300,
        bandwidthBytesPerSecond: 2 ** 20,
        machinePath: '/m',
      },
    ]);
    expect(await readCaptured(entryFolder())).toMatchObject({
      vm: 'web',
      createdMs: 1234,
      source: 'qmp',
      image: { file: 'ram', format: 'migration' },
      downtimeMs: 17,
      way: 'background-snapshot',
    });
    expect(hook.logLines.join('')).toMatch(
      /"pluggedInSince":\["dimm1"\].*needs more than it holds/,
    );
  });

  test('is refused where it does not fit, once its size is known', async () => {
    const hook = await place.context(`spool: {path: ${place.spool}, maxSize: 50K}`, {
      captureVm: captureOf(60_000),
    });
    await expect(captureIntoSpool(hook, live)).rejects.toMatchObject({ code: 'no-space' });
    expect([...place.inSpool('entries'), ...place.inSpool('incoming')]).toEqual([]);
  });

  test('is captured by one process at a time', async () => {
    const hook = await place.context('', { captureVm: captureOf(3) });
    const lock = await tryLock(place.spool, 'capture', 'web');
    await expect(captureIntoSpool(hook, live)).rejects.toMatchObject({ code: 'unavailable' });
    await lock?.release();
    await captureIntoSpool(hook, live);
  });

  test('leaves nothing when the capture fails', async () => {
    const hook = await place.context('', {
      captureVm: ({ folder }) => {
        writeFileSync(join(folder, 'half'), 'half');
        return Promise.reject(new Error('QEMU went away'));
      },
    });
    await expect(captureIntoSpool(hook, live)).rejects.toThrow('QEMU went away');
    expect([...place.inSpool('entries'), ...place.inSpool('incoming')]).toEqual([]);
  });
});

test('what a failed capture has left in a VM that cannot be reached stays, and the next flush tries again', async () => {
  let isReachable = false;
  const hook = await place.context('', {
    captureVm: ({ folder }) => {
      writeFileSync(join(folder, 'journal.json'), '{}');
      return Promise.reject(new Error('QEMU went away'));
    },
    cleanUpCapture: () =>
      isReachable ? Promise.resolve() : Promise.reject(new Error('QEMU does not answer')),
  });
  const live = { vm: 'web', qmpPath: '/run/web.qmp', source: 'qmp' };
  await expect(captureIntoSpool(hook, live)).rejects.toThrow('QEMU went away');
  const [left] = place.inSpool('incoming');
  expect(readdirSync(join(place.spool, 'incoming', left))).toContain('journal.json');
  expect(hook.logLines.join('')).toContain('QEMU does not answer');
  isReachable = true;
  await flush(hook, { retryFailed: false });
  expect(place.inSpool('incoming')).toEqual([]);
});

test('a link stays a link to a file that its owner unlinks', async () => {
  const image = place.image('save', 'ram');
  const second = join(place.folder, 'second');
  linkSync(image, second);
  await offerSnapshot(await place.context(), place.offered('web', image, { link: true }));
  expect(existsSync(second)).toBe(true);
  expect(statSync(join(entryFolder(), 'image')).nlink).toBe(3);
});
