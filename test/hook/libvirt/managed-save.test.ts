// Managed saves, from libvirt's folder into the spool: what is linked, what is taken, what is left out and what waits.
import {
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { handOver } from '../../../src/hook/libvirt/hand-over.js';
import { spoolSave } from '../../../src/hook/libvirt/spool-save.js';
import { takeHandedOver } from '../../../src/hook/libvirt/take-handed-over.js';
import { listEntries } from '../../../src/spool/entries.js';
import { otherUser, testAsRoot } from '../../host/other-user.js';
import { HookPlace } from '../hook-place.js';
import { writeSave } from './save-sample.js';

let place: HookPlace;
let saves: string;
let savePath: string;
let diskPath: string;
beforeEach(async () => {
  place = await HookPlace.make();
  saves = join(place.folder, 'save');
  mkdirSync(saves);
  savePath = join(saves, 'vm one.save');
  diskPath = join(place.folder, 'disk.img');
  writeFileSync(diskPath, Buffer.alloc(8192, 'disk'));
  writeSave(savePath, 'vm one', diskPath);
});
afterEach(async () => {
  await place.remove();
});

const minuteS = 60;
const nowS = (): number => Date.now() / 1000;

test('a save has a second name once the hook was called, however often', () => {
  const [path, ...others] = handOver('vm one', saves);
  expect(others).toEqual([]);
  expect(handOver('vm one', saves)).toEqual([path]);
  expect(statSync(path).ino).toBe(statSync(savePath).ino);
});

test('without a save nothing is made, and what waits from before is found', () => {
  expect(handOver('other', saves)).toEqual([]);
  expect(readdirSync(saves)).toEqual(['vm one.save']);
  const waiting = handOver('vm one', saves);
  expect(handOver('other', saves)).toEqual(waiting);
});

test('a name that is a path leads nowhere', () => {
  const inner = join(saves, 'inner');
  mkdirSync(inner);
  expect(handOver('../vm one', inner)).toEqual([]);
});

test('what was handed over comes into the spool as the same file, and its second name goes', async () => {
  const hook = await place.context();
  const paths = handOver('vm one', saves);
  unlinkSync(savePath);
  const { ino } = statSync(paths[0]);
  expect(await takeHandedOver(hook, paths)).toBeUndefined();
  const { entries } = await listEntries(hook.spool);
  expect(entries).toHaveLength(1);
  expect(statSync(join(entries[0].folder, 'image')).ino).toBe(ino);
  expect(entries[0].captured).toMatchObject({
    vm: 'vm one',
    source: 'libvirt',
    disks: [{ name: 'vda', sourcePath: diskPath, sourceFormat: 'raw' }],
  });
  expect(readFileSync(join(entries[0].folder, 'disk-vda.img'))).toEqual(readFileSync(diskPath));
  expect(readdirSync(join(saves, 'pars'))).toEqual([]);
  // Another process may have had the same work.
  expect(await takeHandedOver(hook, paths)).toBeUndefined();
});

test('a save that cannot be taken waits, until there is a newer one of the VM', async () => {
  const hook = await place.context();
  truncateSync(savePath, statSync(savePath).size - 10);
  utimesSync(savePath, nowS() - minuteS, nowS() - minuteS);
  const older = handOver('vm one', saves);
  expect(await takeHandedOver(hook, older)).toMatchObject({ code: 'image-invalid' });
  expect(existsSync(older[0])).toBe(true);

  unlinkSync(savePath);
  writeSave(savePath, 'vm one', diskPath);
  expect(await takeHandedOver(hook, handOver('vm one', saves))).toBeUndefined();
  expect(readdirSync(join(saves, 'pars'))).toEqual([]);
  expect((await listEntries(hook.spool)).entries).toHaveLength(1);
  expect(hook.logLines.join('')).toMatch(/dropped unsent/);
});

test('a file of the user is copied, stays, and is known again', async () => {
  const hook = await place.context();
  expect(await spoolSave(hook, { path: savePath, link: false })).toBe('spooled');
  expect(await spoolSave(hook, { path: savePath, link: false })).toBe('known');
  const { entries } = await listEntries(hook.spool);
  const image = join(entries[0].folder, 'image');
  expect(readFileSync(image)).toEqual(readFileSync(savePath));
  expect(statSync(image).ino).not.toBe(statSync(savePath).ino);
});

test.each<readonly [string, RegExp, () => void]>([
  [
    'was written to after the save',
    /written to since/,
    () => {
      utimesSync(diskPath, nowS(), nowS() + minuteS);
    },
  ],
  [
    'was put there after the save, with an older time',
    /put there or changed its owner/,
    () => {
      utimesSync(savePath, nowS() - minuteS, nowS() - minuteS);
      utimesSync(diskPath, nowS(), nowS() - 2 * minuteS);
    },
  ],
  [
    'is gone',
    /cannot look at/,
    () => {
      unlinkSync(diskPath);
    },
  ],
  [
    'has times that a clock set back makes worthless',
    /clock was set back/,
    () => {
      utimesSync(savePath, nowS(), nowS() + minuteS);
    },
  ],
])('a disk that %s is left out, and the memory is taken', async (_, reason, change) => {
  change();
  const hook = await place.context();
  expect(await spoolSave(hook, { path: savePath, link: false })).toBe('spooled');
  const { entries } = await listEntries(hook.spool);
  expect(entries[0].captured.disks).toEqual([]);
  expect(readdirSync(entries[0].folder)).toEqual(expect.not.arrayContaining(['disk-vda.img']));
  expect(hook.logLines.filter((line) => reason.test(line))).toHaveLength(1);
});

test('disks that the configuration leaves out are left out', async () => {
  const hook = await place.context('libvirt: {disks: false}');
  await spoolSave(hook, { path: savePath, link: false });
  const { entries } = await listEntries(hook.spool);
  expect(entries[0].captured.disks).toEqual([]);
});

testAsRoot("QEMU's own user can lead a hand-over neither elsewhere nor to another file", () => {
  chownSync(saves, otherUser, otherUser);
  const elsewhere = join(place.folder, 'elsewhere');
  mkdirSync(elsewhere);
  symlinkSync(elsewhere, join(saves, 'pars'));
  lchownSync(join(saves, 'pars'), otherUser, otherUser);
  expect(() => handOver('vm one', saves)).toThrow(/not a folder of this user's alone/);
  expect(readdirSync(elsewhere)).toEqual([]);
  unlinkSync(join(saves, 'pars'));
  symlinkSync(savePath, join(saves, 'linked.save'));
  expect(handOver('linked', saves)).toEqual([]);
  expect(handOver('vm one', saves)).toHaveLength(1);
});
