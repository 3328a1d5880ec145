// A real VM under a real libvirt: snapshots while it runs, managed saves through the shipped hook, and back to libvirt.

import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { readCaptured } from '../../src/spool/captured.js';
import { LibvirtGuest } from '../hook/libvirt/libvirt-guest.js';
import { PrivateLibvirt, whyNoLibvirt } from '../hook/libvirt/private-libvirt.js';
import { testInWhole } from '../slice.js';
import { uploadAnswer } from './command-answers.js';
import { sha256Of } from './file-hash.js';
import { expectPars, parsMain, runPars, startPars } from './pars-command.js';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.js';

const why = whyNoLibvirt();
if (why !== undefined) {
  process.stderr.write(`tests with libvirt are left out: ${why}\n`);
}

const SET_UP_TIMEOUT_MS = 240_000;
const BACKGROUND_TIMEOUT_MS = 60_000;
const VM = 'guest one';

const hookScript = readFileSync(
  new URL('../../src/hook/shipped/libvirt/qemu-hook', import.meta.url),
  'utf8',
);

const closers: (() => Promise<void> | void)[] = [];
let folder: TemporaryFolder;
let libvirt: PrivateLibvirt;
let guest: LibvirtGuest;
let spoolPath: string;
let configPath: string;
let environment: Readonly<Record<string, string>>;
/** The guest's checksums at the first snapshot. */
let checksums: ReadonlyMap<string, string>;
let firstEntry: string;

(why === undefined ? describe : describe.skip)('with libvirt', () => {
  beforeAll(async () => {
    folder = await makeTemporaryFolder();
    closers.push(folder.remove);
    spoolPath = join(folder.path, 'spool');
    configPath = join(folder.path, 'pars.yaml');
    environment = { PARS_CONFIG: configPath };
    libvirt = await PrivateLibvirt.start(
      hookScript,
      `#!/bin/sh\nPARS_CONFIG='${configPath}' exec '${process.execPath}' '${parsMain}' "$@"\n`,
    );
    // Nobody listens there, so what is taken stays in the spool.
    writeFileSync(
      configPath,
      `store: webhdfs://127.0.0.1:1/pars\nspool: { path: ${spoolPath} }\nlibvirt: { uri: '${libvirt.uri}' }\n`,
    );
    closers.push(() => libvirt.close());
    guest = await LibvirtGuest.boot(libvirt, VM);
    closers.push(() => {
      guest.close();
    });
  }, SET_UP_TIMEOUT_MS);

  afterAll(async () => {
    // The last first, as far as that went.
    for (const close of closers.reverse()) {
      await close();
    }
  });

  test('a running VM is snapshotted with its disks, and runs on with them', async () => {
    const goldenHash = await sha256Of(guest.goldenPath);
    await guest.command('echo before >/data/before && sync');
    checksums = await guest.checksums();

    await snapshot();

    [firstEntry] = entries();
    expect(await readCaptured(firstEntry)).toMatchObject({
      vm: VM,
      source: 'libvirt',
      image: { format: 'libvirt-save' },
      disks: [
        { name: 'vda', sourcePath: guest.diskPaths.vda, sourceFormat: 'qcow2' },
        { name: 'vdb', sourcePath: guest.diskPaths.vdb, sourceFormat: 'raw' },
      ],
    });
    await expectUnharmed();
    // The overlay went one image down, not into the image that other VMs may have too.
    expect(await sha256Of(guest.goldenPath)).toBe(goldenHash);
    expect(await guest.checksums()).toEqual(checksums);
    await guest.command('echo after >/data/after && sync');
  });

  test('what a killed snapshot leaves is found by the next one, and nothing that the VM wrote is lost', async () => {
    const running = startPars(['hook', 'libvirt-snapshot', VM], { environment });
    while (!(await diskPaths()).some((path) => /\.pars-\d{13}$/.test(path))) {
      if (running.hasEnded()) {
        throw new Error((await running.ended).stderr);
      }
      await sleep(5);
    }
    running.child.kill('SIGKILL');
    await running.ended;
    expect(await diskPaths()).not.toEqual(Object.values(guest.diskPaths));
    await guest.command('echo meanwhile >/data/meanwhile && sync');
    const before = entries().length;

    await snapshot();

    expect(entries()).toHaveLength(before + 1);
    await expectUnharmed();
    const text = await guest.command('echo 3 >/proc/sys/vm/drop_caches; cat /data/meanwhile');
    expect(text).toBe('meanwhile');
  });

  testInWhole(
    'a snapshot that is stopped while memory is saved leaves the VM running on its own disks',
    async () => {
      const before = entries();
      const incoming = join(spoolPath, 'incoming');
      // What the killed one has left goes with the next flush.
      const left = readdirSync(incoming);
      const arriving = () => readdirSync(incoming).filter((name) => !left.includes(name));
      const running = startPars(['hook', 'libvirt-snapshot', VM], { environment });
      while (!arriving().some((name) => existsSync(join(incoming, name, 'image')))) {
        if (running.hasEnded()) {
          throw new Error((await running.ended).stderr);
        }
        await sleep(1);
      }
      running.child.kill('SIGTERM');
      expect((await running.ended).exitCode).toBe(130);
      expect(entries()).toEqual(before);
      expect(arriving()).toEqual([]);
      await expectUnharmed();
    },
  );

  testInWhole(
    'a managed save is taken by the hook although the VM is started at once',
    async () => {
      const known = entries();
      await libvirt.virsh('managedsave', VM);
      const save = join(libvirt.saveFolder, `${VM}.save`);
      const hash = await sha256Of(save);
      await libvirt.virsh('start', VM);
      expect(existsSync(save)).toBe(false);

      const [entry] = await newEntries(known);
      expect(await sha256Of(join(entry, 'image'))).toBe(hash);
      expect(readdirSync(join(libvirt.saveFolder, 'pars'))).toEqual([]);
    },
  );

  testInWhole('a managed save of a VM that stays off has its disks', async () => {
    const known = entries();
    await libvirt.virsh('managedsave', VM);
    const [entry] = await newEntries(known);
    const { disks } = await readCaptured(entry);
    expect(disks.map(({ name }) => name)).toEqual(['vda', 'vdb']);
    expect(await sha256Of(join(entry, 'disk-vdb.img'))).toBe(await sha256Of(guest.diskPaths.vdb));
    // Ends well for equal contents only.
    execFileSync('qemu-img', [
      ...['compare', '-f', 'raw', '-F', 'qcow2', join(entry, 'disk-vda.img')],
      guest.diskPaths.vda,
    ]);
    await libvirt.virsh('start', VM);
  });

  test('a file of virsh save is taken once; a disk that was touched since is left out and told', async () => {
    const known = entries();
    const path = join(libvirt.imagesFolder, 'vm.save');
    await libvirt.virsh('save', VM, path);
    writeFileSync(guest.diskPaths.vdb, Buffer.from('touched'), { flag: 'r+' });

    const taken = await expectPars(0, ['hook', 'libvirt-save', path, '--json'], { environment });
    expect(taken.json).toEqual([{ path, result: 'spooled' }]);
    expect(taken.stderr).toMatch(/data\.img was written to since the save ended/);
    const [entry] = await newEntries(known);
    expect((await readCaptured(entry)).disks.map(({ name }) => name)).toEqual(['vda']);
    expect(await sha256Of(join(entry, 'image'))).toBe(await sha256Of(path));

    const again = await expectPars(0, ['hook', 'libvirt-save', path, '--json'], { environment });
    expect(again.json).toEqual([{ path, result: 'known' }]);

    await promisify(execFile)('truncate', ['-s', '-1000000', path]);
    const cut = await runPars(['hook', 'libvirt-save', path], { environment });
    expect(cut.exitCode).toBe(3);
  });

  test('a VM that does not run is no matter for a live snapshot, and is told so', async () => {
    const outcome = await runPars(['hook', 'libvirt-snapshot', VM], { environment });
    expect(outcome.exitCode).toBe(7);
    expect(outcome.stderr).toMatch(/expected the VM guest one to run, it is shut off/);
  });

  test('a call of libvirt for anything else, or with nothing there, ends well at once', async () => {
    for (const words of [
      [VM, 'release', 'end', '-'],
      ['no-such-vm', 'release', 'end', '-'],
      ['../escape', 'release', 'end', '-'],
      [VM, 'prepare', 'begin', '-'],
    ]) {
      const before = entries().length;
      await expectPars(
        0,
        ['hook', 'libvirt', '--save-folder', join(folder.path, 'none'), '--', ...words],
        { environment },
      );
      expect(entries()).toHaveLength(before);
    }
  });

  test('a VM comes back from its snapshot under libvirt, with the disks of that moment', async () => {
    await resume(firstEntry);
    await guest.reconnect();
    expect(await guest.checksums()).toEqual(checksums);
    expect(await guest.command('cat /data/before; ls /data/after 2>&1 || true')).toMatch(
      /^before\n.*No such file/,
    );
    // The disks that it had before are nobody's now.
    expect(await diskPaths()).toEqual(
      ['vda', 'vdb'].map((name) => join(folder.path, 'restored', `disk-${name}.img`)),
    );
  });
});

async function snapshot(): Promise<void> {
  await expectPars(0, ['hook', 'libvirt-snapshot', VM], { environment });
}

/** Where the spool has its snapshots, oldest first. */
function entries(): readonly string[] {
  const path = join(spoolPath, 'entries');
  return existsSync(path) ? readdirSync(path).map((name) => join(path, name)) : [];
}

/** Waits for the background. */
async function newEntries(known: readonly string[]): Promise<readonly string[]> {
  const endMs = Date.now() + BACKGROUND_TIMEOUT_MS;
  const waiting = join(libvirt.saveFolder, 'pars');
  for (;;) {
    const found = entries().filter((entry) => !known.includes(entry));
    if (found.length > 0 && (!existsSync(waiting) || readdirSync(waiting).length === 0)) {
      return found;
    }
    if (Date.now() > endMs) {
      throw new Error(`no snapshot came; ${readFileSync(join(spoolPath, 'hook.log'), 'utf8')}`);
    }
    await sleep(50);
  }
}

/** What the VM writes to now. */
async function diskPaths(): Promise<readonly string[]> {
  const table = await libvirt.virsh('domblklist', VM);
  return table
    .split('\n')
    .slice(2)
    .map((line) => line.trim().replace(/^\S+\s+/, ''))
    .filter((path) => path !== '-');
}

/** The VM runs, on the images that it always had. */
async function expectUnharmed(): Promise<void> {
  expect(await libvirt.virsh('domstate', VM)).toBe('running');
  expect(await diskPaths()).toEqual(Object.values(guest.diskPaths));
  expect(readdirSync(libvirt.imagesFolder).filter((name) => name.includes('.pars-'))).toEqual([]);
}

/** Through a store and `pars restore --resume`. */
async function resume(entry: string): Promise<void> {
  const storeUrl = `file://${join(folder.path, 'store')}`;
  const uploaded = await expectPars(0, ['upload', '--captured', entry, '--json'], { storeUrl });
  const { id } = uploadAnswer.parse(uploaded.json);
  const restored = join(folder.path, 'restored');
  const words = ['restore', id, '--out', restored, '--resume', '--trust-machine'];
  const { stderr } = await expectPars(0, words, {
    storeUrl,
    environment: { LIBVIRT_DEFAULT_URI: libvirt.uri },
  });
  expect(stderr).not.toContain('must be as it was at the snapshot');
}
