// A folder that snapshots appear in: each is taken once, when it is whole, and stays where it is.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileKey, openForWriting } from '../../../src/hook/folder/open-writers.js';
import {
  type FolderRequest,
  type FolderResult,
  watchFolder,
} from '../../../src/hook/folder/watch-folder.js';
import type { HookContext } from '../../../src/hook/hook-context.js';
import { factsOf } from '../../../src/hook/take/adopt-file.js';
import { listEntries } from '../../../src/spool/entries.js';
import { otherUser, testAsRoot } from '../../host/other-user.js';
import { liveStream, saveHeader } from '../../introspect/memory/migration-sample.js';
import { HookPlace } from '../hook-place.js';

const domainXml = Buffer.from(
  "<domain type='qemu'><name>shop</name><memory unit='KiB'>96</memory></domain>\0",
);

let place: HookPlace;
let folder: string;
beforeEach(async () => {
  place = await HookPlace.make();
  folder = join(place.folder, 'drop');
  mkdirSync(folder);
});
afterEach(() => place.remove());

const requestOf = (changes: Partial<FolderRequest> = {}): FolderRequest => ({
  folder,
  vm: undefined,
  settleMs: 60,
  link: false,
  stay: false,
  onTaken: () => undefined,
  ...changes,
});

const look = async (changes: Partial<FolderRequest> = {}): Promise<FolderResult> =>
  watchFolder(await place.context(), requestOf(changes));

const put = (name: string, content: string | Buffer): void => {
  writeFileSync(join(folder, name), content);
};

function saveFileOf(xml: Buffer, stream: Buffer): Buffer {
  const header = Buffer.from(saveHeader(0).subarray(0, 92));
  header.writeUInt32LE(xml.length, 20);
  return Buffer.concat([header, xml, stream]);
}

async function entriesOf(hook: HookContext) {
  const { entries } = await listEntries(hook.spool);
  return entries.map(({ vm, captured }) => [vm, captured.image.format, captured.state]).toSorted();
}

test('what is whole is taken under its name, what is not is left with its reason', async () => {
  const stream = liveStream();
  put('web.migration', stream);
  put('half.migration', stream.subarray(0, stream.length - 200));
  put('nightly.save', saveFileOf(domainXml, stream));
  put('cut.save', saveFileOf(domainXml, stream.subarray(0, 3000)));
  put('flat.ram', Buffer.alloc(8192, 1));
  put('flat.state', 'devices');
  put('fc.mem', Buffer.alloc(8192, 2));
  put('notes', 'no snapshot '.repeat(1024).slice(0, 4096));
  put('later.part', stream);
  const hook = await place.context();
  const { taken, left } = await watchFolder(hook, requestOf());
  expect(taken.map(({ vm }) => vm).toSorted()).toEqual(['flat', 'shop', 'web']);
  expect(await entriesOf(hook)).toEqual([
    ['flat', undefined, 'state'],
    ['shop', 'libvirt-save', undefined],
    ['web', 'migration', undefined],
  ]);
  expect(left.map(({ name }) => name).toSorted()).toEqual([
    'cut.save',
    'fc.mem',
    'half.migration',
    'notes',
  ]);
  const reasonOf = (name: string): string | undefined =>
    left.find((item) => item.name === name)?.reason;
  expect(reasonOf('fc.mem')).toContain('it lacks the device state');
  expect(reasonOf('notes')).toContain('its content says no format');
  expect(existsSync(join(folder, 'web.migration'))).toBe(true);
});

test('names that differ in any character are of VMs of their own', async () => {
  const word = 'caf\u00e9';
  const names = [
    '数据库',
    '服务器',
    'a b',
    'a-b',
    'a_b',
    'db.1',
    'db.2',
    word,
    word.normalize('NFD'),
  ];
  names.forEach((name, at) => {
    put(`${name}.ram`, Buffer.alloc(4096, at + 1));
  });
  const hook = await place.context();
  const { taken, left } = await watchFolder(hook, requestOf());
  expect(left).toEqual([]);
  expect(taken.map(({ vm }) => vm).toSorted()).toEqual(names.toSorted());
  const { entries, unreadable } = await listEntries(hook.spool);
  expect(unreadable).toEqual([]);
  expect(entries.map(({ vm }) => vm).toSorted()).toEqual(names.toSorted());
  expect(new Set(entries.map(({ group }) => group)).size).toBe(names.length);
});

test('a name that is no text is left in words, and costs no other snapshot', async () => {
  const nameOf = (byte: number): Buffer =>
    Buffer.concat([Buffer.from(`${folder}/db`), Buffer.of(byte), Buffer.from('.ram')]);
  writeFileSync(nameOf(0xfe), Buffer.alloc(4096, 1));
  writeFileSync(nameOf(0xff), Buffer.alloc(4096, 2));
  put('web.ram', Buffer.alloc(4096, 3));
  put('nul\n.ram', Buffer.alloc(4096, 4));
  const { taken, left } = await look();
  expect(taken).toEqual([{ name: 'web.ram', vm: 'web' }]);
  expect(left.map(({ name }) => name).toSorted()).toEqual([
    'db\\xfe.ram',
    'db\\xff.ram',
    'nul\n.ram',
  ]);
  expect(left.find(({ name }) => name === 'db\\xfe.ram')?.reason).toContain('not UTF-8');
  expect(left.find(({ name }) => name === 'nul\n.ram')?.reason).toContain('control character');
});

test('a Cloud Hypervisor folder is taken when its ranges are all there', async () => {
  const ch = join(folder, 'ch1');
  mkdirSync(ch);
  const ranges = { memory_ranges: { data: [{ gpa: 0, length: 8192 }] } };
  const state = {
    snapshots: { 'memory-manager': { snapshot_data: { state: JSON.stringify(ranges) } } },
  };
  writeFileSync(join(ch, 'config.json'), '{}');
  writeFileSync(join(ch, 'state.json'), JSON.stringify(state));
  writeFileSync(join(ch, 'memory-ranges'), Buffer.alloc(4096, 1));
  expect((await look()).left.map(({ name }) => name)).toEqual(['ch1']);
  appendFileSync(join(ch, 'memory-ranges'), Buffer.alloc(4096, 1));
  const hook = await place.context();
  expect((await watchFolder(hook, requestOf())).taken).toEqual([{ name: 'ch1', vm: 'ch1' }]);
  expect(await entriesOf(hook)).toEqual([['ch1', 'cloud-hypervisor', undefined]]);
});

test('what was taken is not taken again by the next run, but another file of the name is', async () => {
  put('web.ram', Buffer.alloc(4096, 1));
  expect((await look()).taken).toHaveLength(1);
  expect(await look()).toEqual({ taken: [], left: [] });
  put('new', Buffer.alloc(4096, 2));
  renameSync(join(folder, 'new'), join(folder, 'web.ram'));
  expect((await look()).taken).toHaveLength(1);
  expect(place.inSpool('entries')).toHaveLength(2);
});

test('a file that somebody has open for writing is left, one that is read is not', async () => {
  put('web.ram', Buffer.alloc(4096, 1));
  put('db.ram', Buffer.alloc(4096, 2));
  const reader = openSync(join(folder, 'db.ram'), 'r');
  const writer = spawn('sh', [
    '-c',
    'exec 3>>"$1"; echo ready; exec sleep 60',
    'sh',
    join(folder, 'web.ram'),
  ]);
  try {
    await once(writer.stdout, 'data');
    const { taken, left } = await look();
    expect(left).toEqual([{ name: 'web.ram', reason: 'a process has it open for writing' }]);
    expect(taken.map(({ name }) => name)).toEqual(['db.ram']);
  } finally {
    closeSync(reader);
    writer.kill('SIGKILL');
    await once(writer, 'exit');
  }
  expect((await look()).taken.map(({ name }) => name)).toEqual(['web.ram']);
});

test('a file open for reading and writing counts as open for writing', async () => {
  put('x', 'x');
  const path = join(folder, 'x');
  const key = fileKey(await factsOf(path));
  const fd = openSync(path, 'r+');
  expect(await openForWriting(new Set([key]))).toEqual(new Set([key]));
  closeSync(fd);
  expect(await openForWriting(new Set([key]))).toEqual(new Set());
});

test('all snapshots of a folder may be of one VM, and linked', async () => {
  put('1.ram', Buffer.alloc(4096, 1));
  put('2.ram', Buffer.alloc(4096, 2));
  const { taken } = await look({ vm: 'web', link: true });
  expect(taken.map(({ vm }) => vm)).toEqual(['web', 'web']);
});

test('a folder that is not there is an error', async () => {
  await expect(look({ folder: join(place.folder, 'nothing') })).rejects.toThrow(/nothing/);
});

test('who stays takes what comes, not before it keeps still, and ends with the signal', async () => {
  const abort = new AbortController();
  const hook = await place.context('', { signal: abort.signal });
  let takenCount = 0;
  const watching = watchFolder(
    hook,
    requestOf({
      stay: true,
      settleMs: 400,
      onTaken: () => {
        takenCount++;
      },
    }),
  );
  const waitFor = async (condition: () => boolean): Promise<void> => {
    while (!condition()) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const stream = liveStream();
  // In pieces, faster than the settle time: at no moment before the end may it be taken.
  for (let at = 0; at < 5; at++) {
    appendFileSync(join(folder, 'a.ram'), Buffer.alloc(4096, at));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await waitFor(() => takenCount === 1);
  put('b.migration', stream);
  await waitFor(() => takenCount === 2);
  abort.abort();
  const { taken } = await watching;
  expect(taken).toEqual([
    { name: 'a.ram', vm: 'a' },
    { name: 'b.migration', vm: 'b' },
  ]);
  const { entries } = await listEntries(hook.spool);
  const image = readFileSync(join(entries[0].folder, 'image'));
  expect(image.length).toBe(5 * 4096);
});

test('what the spool has no room for is taken when it has', async () => {
  put('web.ram', Buffer.alloc(65_536, 1));
  const small = await place.context(`spool: {path: ${place.spool}, maxSize: 20K}`);
  const { taken, left } = await watchFolder(small, requestOf());
  expect(taken).toEqual([]);
  expect(left[0].reason).toContain('spool.maxSize');
  expect((await look()).taken).toHaveLength(1);
});

testAsRoot("names are taken of the folder's owner, or by the pattern that was stated", async () => {
  put('web.ram', Buffer.alloc(4096, 1));
  chownSync(join(folder, 'web.ram'), otherUser, otherUser);
  const { taken, left } = await look();
  expect(taken).toEqual([]);
  expect(left[0].reason).toContain('it belongs to the user 65534, not to the owner of the folder');
  expect((await look({ names: /^db-.*$/ })).left[0].reason).toContain('--names');
  expect((await look({ names: /^web$/ })).taken).toEqual([{ name: 'web.ram', vm: 'web' }]);
});

testAsRoot(
  'a file that another user swaps in after the look at it is not taken for that one',
  async () => {
    put('web.ram', Buffer.alloc(4096, 1));
    put('his', Buffer.alloc(4096, 2));
    chownSync(join(folder, 'his'), otherUser, otherUser);
    // Asked after the files were looked at.
    const swapping = new (class extends RegExp {
      override test(): boolean {
        renameSync(join(folder, 'his'), join(folder, 'web.ram'));
        return true;
      }
    })('');
    const hook = await place.context();
    const { taken, left } = await watchFolder(hook, requestOf({ names: swapping }));
    expect(taken).toEqual([]);
    expect(left.find(({ name }) => name === 'web.ram')?.reason).toContain(
      'belongs to the user 65534, and to 0 when it was looked at',
    );
    expect(await entriesOf(hook)).toEqual([]);
  },
);

testAsRoot(
  "a file in the name of a VM is of its owner's and its folder's own identity",
  async () => {
    put('web.save', saveFileOf(domainXml, liveStream()));
    put('shop.ram', Buffer.alloc(4096, 1));
    chownSync(join(folder, 'shop.ram'), otherUser, otherUser);
    const hook = await place.context();
    await watchFolder(hook, requestOf({ names: /^shop$/ }));
    const { entries } = await listEntries(hook.spool);
    expect(entries.map(({ vm, captured }) => [vm, captured.identity?.id]).toSorted()).toEqual([
      ['shop', `dir:0:${folder}`],
      ['shop', `dir:65534:${folder}`],
    ]);
    expect(new Set(entries.map(({ group }) => group)).size).toBe(2);
  },
);
