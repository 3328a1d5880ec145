// What a user can get wrong: each mistake has its exit code and a message that says what was expected, what was found
// and, where it is not obvious, what to do. Nothing is stored or overwritten by a mistake.

import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLocalStore } from '../../src/store/local/local-store.js';
import { smallManifest, writeAndPublish } from '../catalog/small-snapshot.js';
import { copySparse } from '../guest/copy-sparse.js';
import { fixtureGuest } from '../guest/fixtures.js';
import { errorAnswer, listAnswer, showAnswer, uploadAnswer } from './command-answers.js';
import { sha256Of } from './file-hash.js';
import { LocalStoreFolder } from './local-store-folder.js';
import { expectPars, runPars, startPars } from './pars-command.js';
import { makeRandomImage } from './random-image.js';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.js';

const guestBootTimeoutMs = 300_000;
const imageMib = 4;
const noKernel = 20;
const twins = ['abc0000000000001', 'abc0000000000002'];

let folder: TemporaryFolder;
let store: LocalStoreFolder;
let id: string;
let webServer: Server;
let webServerPort: number;
const at = (name: string) => join(folder.path, name);

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  store = new LocalStoreFolder(at('store'));
  makeRandomImage(at('noise'), imageMib);
  writeFileSync(at('zeros'), Buffer.alloc(imageMib * 2 ** 20));
  writeFileSync(at('cut-inside-a-page'), readFileSync(at('noise')).subarray(0, 4096 * 10 + 1));
  writeFileSync(at('empty'), '');
  writeFileSync(at('unknown-label.yaml'), 'replication:\n  anonymous: 3\n');
  writeFileSync(at('no-copy.yaml'), 'replication:\n  anon: 0\n');
  writeFileSync(at('weak.yaml'), 'replication:\n  anon: 1\n');
  writeFileSync(at('torn.yaml'), 'replication: {free: \n');
  writeFileSync(
    at('disk.qcow2'),
    Buffer.concat([Buffer.from('QFI\xfb', 'latin1'), Buffer.alloc(4096)]),
  );
  mkdirSync(at('taken'));
  writeFileSync(at('taken/ram'), 'somebody else');
  mkdirSync(at('state-taken'));
  writeFileSync(at('state-taken/state'), 'somebody else');
  const upload = await expectPars(
    noKernel,
    ['upload', at('noise'), '--state', at('weak.yaml'), '--name', 'noise', '--json'],
    { storeUrl: store.url },
  );
  ({ id } = uploadAnswer.parse(upload.json));
  const opened = await openLocalStore(store.url);
  for (const twin of twins) {
    const packs = [`packs/${twin}/000000.pack`];
    await writeAndPublish(opened, smallManifest({ id: twin, packs }));
  }
  await opened.close();
  webServer = createServer((_, answer) => answer.end('<html>It works!</html>'));
  await new Promise<void>((resolve) => webServer.listen(0, '127.0.0.1', resolve));
  webServerPort = (webServer.address() as AddressInfo).port;
});

afterAll(async () => {
  (webServer as Server | undefined)?.close();
  await folder.remove();
});

interface Mistake {
  readonly what: string;
  readonly command: () => readonly string[];
  readonly exitCode: number;
  readonly code: string;
  /** All of them must be in the message. */
  readonly says: () => readonly (string | RegExp)[];
  /** Another one than the test's own; undefined for none. */
  readonly storeUrl?: () => string | undefined;
}

const upload = (image: string, ...more: readonly string[]) => [
  'upload',
  at(image),
  '--name',
  'vm',
  ...more,
];
const withStore = (url: string | (() => string)) => ({
  storeUrl: typeof url === 'string' ? () => url : url,
});

const mistakes: readonly Mistake[] = [
  {
    what: 'an image that is not there',
    command: () => upload('nowhere'),
    exitCode: 3,
    code: 'image-invalid',
    says: () => [at('nowhere'), 'ENOENT'],
  },
  {
    what: 'an image that is a folder',
    command: () => upload('taken'),
    exitCode: 3,
    code: 'image-invalid',
    says: () => [at('taken'), 'expected a regular file'],
  },
  {
    what: 'an image that is empty',
    command: () => upload('empty'),
    exitCode: 3,
    code: 'image-invalid',
    says: () => [at('empty'), 'empty'],
  },
  {
    what: 'an image cut inside a page',
    command: () => upload('cut-inside-a-page'),
    exitCode: 3,
    code: 'image-invalid',
    says: () => [at('cut-inside-a-page'), '40961 bytes', '4096', 'truncated'],
  },
  {
    what: 'the same, only to be classified',
    command: () => ['classify', at('cut-inside-a-page')],
    exitCode: 3,
    code: 'image-invalid',
    says: () => ['40961 bytes', '4096', 'truncated'],
  },
  {
    what: 'labels to a folder that is not there',
    command: () => ['classify', at('noise'), '--labels', at('nowhere/labels')],
    exitCode: 4,
    code: 'not-found',
    says: () => [at('nowhere/labels'), 'ENOENT'],
  },
  {
    what: 'device state that is not there',
    command: () => upload('noise', '--state', at('nowhere')),
    exitCode: 3,
    code: 'image-invalid',
    says: () => ['device state', at('nowhere'), 'ENOENT'],
  },
  {
    what: 'device state that is a folder',
    command: () => upload('noise', '--state', at('taken')),
    exitCode: 3,
    code: 'image-invalid',
    says: () => ['device state', at('taken'), 'regular file'],
  },
  {
    what: 'a name with a slash',
    command: () => ['upload', at('noise'), '--name', 'rack/vm'],
    exitCode: 2,
    code: 'usage',
    says: () => ['"rack/vm"', 'it holds a "/"', '--name'],
  },
  {
    what: 'a name that is the folder above',
    command: () => ['upload', at('noise'), '--name', '..'],
    exitCode: 2,
    code: 'usage',
    says: () => ['".."', 'it stands for a folder'],
  },
  {
    what: 'a policy that is not there',
    command: () => upload('noise', '--policy', at('nowhere.yaml')),
    exitCode: 2,
    code: 'usage',
    says: () => [at('nowhere.yaml'), 'ENOENT'],
  },
  {
    what: 'a policy that is no YAML',
    command: () => upload('noise', '--policy', at('torn.yaml')),
    exitCode: 2,
    code: 'usage',
    says: () => [at('torn.yaml'), /line|end|flow/i],
  },
  {
    what: 'a policy with an unknown label',
    command: () => upload('noise', '--policy', at('unknown-label.yaml')),
    exitCode: 2,
    code: 'usage',
    says: () => [at('unknown-label.yaml'), '"anonymous"', 'the labels are', 'anon, shmem'],
  },
  {
    what: 'a policy without any copy of critical pages',
    command: () => upload('noise', '--policy', at('no-copy.yaml')),
    exitCode: 2,
    code: 'usage',
    says: () => [at('no-copy.yaml'), 'copies of anon', 'found 0', 'only expendable pages'],
  },
  {
    what: 'a policy with one copy of critical pages',
    command: () => upload('noise', '--policy', at('weak.yaml')),
    exitCode: 2,
    code: 'usage',
    says: () => ['at least 2 copies', 'found 1 for anon', '--allow-weak-critical'],
  },
  {
    what: 'a disk that no policy asks for',
    command: () => upload('noise', '--disk', at('noise')),
    exitCode: 2,
    code: 'usage',
    says: () => ['the policy strict', 'leave --disk out', '--policy disk or lean'],
  },
  {
    what: 'a policy that needs a disk, and none',
    command: () => upload('noise', '--policy', 'disk'),
    exitCode: 2,
    code: 'usage',
    says: () => ['the policy disk', '--disk'],
  },
  {
    what: 'a disk by a name that no guest has for one',
    command: () => upload('noise', '--policy', 'lean', '--disk', `disk0=${at('noise')}`),
    exitCode: 2,
    code: 'usage',
    says: () => ['"disk0"', 'vda'],
  },
  {
    what: 'a machine that is not there',
    command: () => upload('noise', '--machine', at('nowhere.json')),
    exitCode: 4,
    code: 'not-found',
    says: () => [at('nowhere.json'), 'ENOENT'],
  },
  {
    what: 'a machine that is none',
    command: () => upload('noise', '--machine', at('torn.yaml')),
    exitCode: 2,
    code: 'usage',
    says: () => [at('torn.yaml')],
  },
  {
    what: 'a machine for a restore that starts none',
    command: () => ['restore', id, '--out', at('out'), '--machine', at('noise')],
    exitCode: 2,
    code: 'usage',
    says: () => ['--machine and --replace are for --resume'],
  },
  {
    what: 'a VM to be started from a snapshot without its machine',
    command: () => ['restore', id, '--out', at('out'), '--resume', 'write'],
    exitCode: 2,
    code: 'usage',
    says: () => ['uploaded without its machine', '--machine FILE', '/proc/PID/cmdline'],
  },
  {
    what: 'a disk of another format for a restore',
    command: () => ['restore', id, '--out', at('out'), '--disk', at('disk.qcow2')],
    exitCode: 11,
    code: 'unsupported',
    says: () => [at('disk.qcow2'), 'qcow2', 'qemu-img convert'],
  },
  {
    what: 'a disk for a restore that is not there',
    command: () => ['restore', id, '--out', at('out'), '--disk', `vda=${at('nowhere.img')}`],
    exitCode: 3,
    code: 'image-invalid',
    says: () => ['cannot open the disk', at('nowhere.img')],
  },
  {
    what: 'no store',
    command: () => ['list'],
    exitCode: 2,
    code: 'usage',
    says: () => ['--store'],
    storeUrl: () => undefined,
  },
  {
    what: 'a store of an unknown scheme',
    command: () => ['list'],
    exitCode: 2,
    code: 'usage',
    says: () => ["'s3:'", 'file:///', 'webhdfs://'],
    ...withStore('s3://bucket/pars'),
  },
  {
    what: 'a store without a scheme',
    command: () => ['list'],
    exitCode: 2,
    code: 'usage',
    says: () => ["'/srv/pars'", 'file:///'],
    ...withStore('/srv/pars'),
  },
  {
    what: 'a store whose host is not known',
    command: () => ['list'],
    exitCode: 7,
    code: 'unavailable',
    says: () => ['no-such-host.invalid:9870', 'not known', 'check host and port'],
    ...withStore('webhdfs://no-such-host.invalid:9870/pars'),
  },
  {
    what: 'a store that nobody serves',
    command: () => ['list'],
    exitCode: 7,
    code: 'unavailable',
    says: () => ['127.0.0.1:1', 'nothing listens', 'check host and port'],
    ...withStore('webhdfs://127.0.0.1:1/pars'),
  },
  {
    what: 'a store at a web server that is no NameNode',
    command: () => ['list'],
    exitCode: 11,
    code: 'unsupported',
    says: () => ['It works!', 'expected WebHDFS', 'check host and port'],
    ...withStore(() => `webhdfs://127.0.0.1:${webServerPort}/pars`),
  },
  {
    what: 'a store on disks that are not there',
    command: () => ['list'],
    exitCode: 7,
    code: 'unavailable',
    says: () => ['/nowhere/1', 'mount them'],
    ...withStore('file:///?disks=/nowhere/1,/nowhere/2'),
  },
  {
    what: 'a snapshot that is not there',
    command: () => ['show', '0123456789abcdef'],
    exitCode: 4,
    code: 'not-found',
    says: () => ['0123456789abcdef', store.url, '`pars list`'],
  },
  {
    what: 'the beginning of two ids',
    command: () => ['restore', 'abc', '--out', at('out')],
    exitCode: 2,
    code: 'usage',
    says: () => [...twins, 'more digits'],
  },
  {
    what: 'an id that is no hex number',
    command: () => ['delete', 'xyz'],
    exitCode: 2,
    code: 'usage',
    says: () => ['"xyz"', 'hex digits', '`pars list`'],
  },
  {
    what: 'an id that leads elsewhere',
    command: () => ['delete', '../packs'],
    exitCode: 2,
    code: 'usage',
    says: () => ['"../packs"', 'hex digits'],
  },
  {
    what: 'a folder to restore to that is a file',
    command: () => ['restore', id, '--out', at('noise')],
    exitCode: 2,
    code: 'usage',
    says: () => [at('noise'), 'expected a folder, found'],
  },
  {
    what: 'a folder to restore to that holds a ram',
    command: () => ['restore', id, '--out', at('taken')],
    exitCode: 5,
    code: 'already-exists',
    says: () => [at('taken/ram'), 'nothing was overwritten', 'another folder'],
  },
  {
    what: 'a folder to restore to that holds a state',
    command: () => ['restore', id, '--out', at('state-taken')],
    exitCode: 5,
    code: 'already-exists',
    says: () => [at('state-taken/state'), 'nothing was overwritten', 'another folder'],
  },
  {
    what: 'an unknown command',
    command: () => ['download'],
    exitCode: 2,
    code: 'usage',
    says: () => ["'download'"],
  },
  {
    what: 'an unknown option',
    command: () => ['list', '--all'],
    exitCode: 2,
    code: 'usage',
    says: () => ["'--all'"],
  },
  {
    what: 'an upload without a name',
    command: () => ['upload', at('noise')],
    exitCode: 2,
    code: 'usage',
    says: () => ['--name'],
  },
];

test.each(mistakes)(
  '$what: exit code $exitCode, $code',
  async ({ command, exitCode, code, says, storeUrl }) => {
    const before = store.dataFiles();
    const url = storeUrl === undefined ? store.url : storeUrl();
    const outcome = await runPars(
      [...command(), '--json'],
      url === undefined ? {} : { storeUrl: url },
    );
    const { error } = errorAnswer.parse(outcome.json);
    expect({ exitCode: outcome.exitCode, code: error.code }).toEqual({ exitCode, code });
    for (const part of says()) {
      expect(error.message).toEqual(
        typeof part === 'string' ? expect.stringContaining(part) : expect.stringMatching(part),
      );
    }
    // For a person it is the same sentence, on standard error.
    expect(outcome.stderr).toContain(error.message);
    expect(store.dataFiles()).toEqual(before);
  },
);

test('what a restore found in its way is as it was, with nothing beside it', () => {
  expect(readdirSync(at('taken'))).toEqual(['ram']);
  expect(readFileSync(at('taken/ram'), 'utf8')).toBe('somebody else');
  expect(readdirSync(at('state-taken'))).toEqual(['state']);
  expect(readFileSync(at('state-taken/state'), 'utf8')).toBe('somebody else');
});

test.each([
  ['noise', /look encrypted/],
  ['zeros', /no VMCOREINFO page/],
])(
  'an image of %s is no Linux: stored, with a warning, every page as critical, and restored the same',
  async (image, reason) => {
    const outcome = await expectPars(noKernel, [...upload(image), '--json'], {
      storeUrl: store.url,
    });
    const answer = uploadAnswer.parse(outcome.json);
    expect(answer.evidence.kind).toBe('no-kernel');
    expect(outcome.stderr).toMatch(/warning: every page is kept as critical: /);
    expect(outcome.stderr).toMatch(reason);
    const shown = showAnswer.parse(
      (await expectPars(0, ['show', answer.id, '--json'], { storeUrl: store.url })).json,
    );
    expect(shown.labelCounts).toEqual({ unknown: (imageMib * 2 ** 20) / 4096 });
    expect(shown.packs.map(({ replication }) => replication)).toEqual([3]);

    const out = at(`restored-${image}`);
    await expectPars(0, ['restore', answer.id, '--out', out], { storeUrl: store.url });
    expect(await sha256Of(join(out, 'ram'))).toBe(await sha256Of(at(image)));
    if (image === 'zeros') {
      expect(statSync(join(out, 'ram')).blocks).toBe(0);
    }
  },
);

test('a weak policy is taken with --allow-weak-critical', async () => {
  const weak = upload('noise', '--policy', at('weak.yaml'), '--allow-weak-critical', '--dry-run');
  await expectPars(noKernel, weak, { storeUrl: store.url });
});

test(
  'an image that is cut while it is stored is refused and leaves nothing; the rest, cut at a page, is kept whole as critical',
  async () => {
    const guest = await fixtureGuest('aged');
    await copySparse(guest.ramPath, at('shrinking'));
    const before = store.dataFiles();
    const listed = await idsListed();
    const { ended, hasEnded } = startPars([...upload('shrinking'), '--json'], {
      storeUrl: store.url,
    });
    while (store.filesBeingWritten().length === 0 && !hasEnded()) {
      await sleep(5);
    }
    truncateSync(at('shrinking'), statSync(guest.ramPath).size - 2 * 2 ** 20);
    const outcome = await ended;
    expect({ ...errorAnswer.parse(outcome.json).error, exitCode: outcome.exitCode }).toEqual({
      exitCode: 3,
      code: 'image-invalid',
      message: expect.stringMatching(/ended at \d+ .*truncated meanwhile/) as string,
    });
    expect(store.dataFiles()).toEqual(before);
    expect(await idsListed()).toEqual(listed);

    const second = await expectPars(noKernel, [...upload('shrinking'), '--json'], {
      storeUrl: store.url,
    });
    expect(second.stderr).toMatch(
      /every page is kept as critical: the image looks truncated: its kernel has RAM up to 0x[0-9a-f]+.* the image ends at 0x1fe00000/,
    );
  },
  guestBootTimeoutMs,
);

async function idsListed(): Promise<readonly string[]> {
  const { json } = await expectPars(0, ['list', '--json'], { storeUrl: store.url });
  return listAnswer.parse(json).map((entry) => entry.id);
}
