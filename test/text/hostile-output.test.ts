// Every command that shows text, on a store, manifests, folders and servers whose names and words are hostile: on both
// streams nothing but characters to be seen, no line that is not ours, and JSON that has the exact words.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exitCodeOfError } from '../../src/cli/shared/exit-code.js';
import type { Manifest } from '../../src/manifest/types.js';
import { openStore } from '../../src/store/open-store.js';
import { smallManifest, writeAndPublish, writeFilesOf } from '../catalog/small-snapshot.js';
import { LocalStoreFolder } from '../e2e/local-store-folder.js';
import { type CommandOutcome, runPars } from '../e2e/pars-command.js';
import { makeRandomImage } from '../e2e/random-image.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../e2e/temporary-folder.js';
import { remoteException, startFakeWebHdfs } from '../store/webhdfs/fake-webhdfs.js';
import { FakeQemu } from '../vm/qmp/fake-qemu.js';
import { hostileTexts, unseenIn } from './hostile-text.js';

const testTimeoutMs = 300_000;
/** All of them at once: commands take seconds to start, and what is wrong is named by its number. */
const hostile = Object.values(hostileTexts).join(' ');
/** As long as a manifest has them. */
const hostileLabels = Object.values(hostileTexts).map((text) => text.slice(0, 64));
/** What another line of ours would begin like. */
const forged = /^pars: all is well/m;

let folder: TemporaryFolder;
let storeUrl: string;
const id = '0123456789abcdef';
const otherId = '1123456789abcdef';

function hostileManifest(snapshotId: string): Manifest {
  const manifest = smallManifest({
    id: snapshotId,
    packs: [`packs/${snapshotId}/000000.pack`],
    createdMs: 1,
  });
  return {
    ...manifest,
    header: {
      ...manifest.header,
      guest: { release: hostile, buildId: hostile },
      evidence: hostile,
      legend: hostileLabels,
      labelCounts: { [hostileLabels[0]]: 64 },
    },
  };
}

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  storeUrl = new LocalStoreFolder(join(folder.path, 'store')).url;
  const store = await openStore(storeUrl);
  try {
    for (const snapshotId of [id, otherId]) {
      const manifest = hostileManifest(snapshotId);
      await writeFilesOf(store, manifest);
      await writeAndPublish(store, manifest);
    }
  } finally {
    await store.close();
  }
}, testTimeoutMs);
afterAll(() => folder.remove());

async function expectSafe(words: readonly string[], url = storeUrl): Promise<CommandOutcome> {
  const outcome = await runPars(words, { storeUrl: url });
  const { exitCode, stdout, stderr } = outcome;
  expect({ words, out: unseenIn(stdout), err: unseenIn(stderr) }).toEqual({
    words,
    out: [],
    err: [],
  });
  expect(stdout + stderr).not.toMatch(forged);
  // A defect, and what was killed.
  expect({ words, isOrdered: exitCode !== 1 && exitCode < 128, stderr }).toEqual({
    words,
    isOrdered: true,
    stderr,
  });
  return outcome;
}

test(
  'commands on a store',
  async () => {
    const out = (name: string): string => join(folder.path, name);
    for (const words of [
      ['list'],
      ['show', id],
      ['verify', id],
      ['verify', id, '--read-data'],
      ['restore', id, '--out', out('restored')],
      ['report', id],
      ['report', '--vm', 'small'],
      ['report', '--fleet'],
      ['report', '--compare', id, otherId],
      ['forget', '--keep-last', '9', '--dry-run'],
      ['prune', '--dry-run'],
      ['show', hostile.replaceAll('\0', '')],
      ['report', '--vm', hostile.replaceAll('\0', '')],
      [hostile.replaceAll('\0', '')],
      ['list', `--${hostile.replaceAll('\0', '')}`],
    ]) {
      await expectSafe(words);
      if (words.length > 1 || words[0] === 'list') {
        await expectSafe([...words, '--json']);
      }
    }
    const { stdout } = await expectSafe(['list']);
    expect(stdout.trimEnd().split('\n')).toHaveLength(3);
    const shown = await expectSafe(['show', id, '--json']);
    expect(shown.json).toMatchObject({ guest: { release: wellFormed(hostile) } });
  },
  testTimeoutMs,
);

/** A manifest is UTF-8, which has no half of a pair. */
const wellFormed = (text: string): string => Buffer.from(text).toString();

test(
  'the words of a NameNode',
  async () => {
    for (const [status, exception] of [
      [403, 'AccessControlException'],
      [404, 'FileNotFoundException'],
      [400, hostile],
    ] as const) {
      const fake = await startFakeWebHdfs(() => remoteException(exception, hostile, status));
      try {
        const { stdout, stderr } = await expectSafe(['list'], `webhdfs://${fake.hostPort}/pars`);
        expect((stdout + stderr).trimEnd().split('\n')).toHaveLength(1);
        await expectSafe(['list', '--json'], `webhdfs://${fake.hostPort}/pars`);
      } finally {
        await fake.close();
      }
    }
    const page = await startFakeWebHdfs(() => ({ status: 200, text: hostile }));
    try {
      await expectSafe(['list'], `webhdfs://${page.hostPort}/pars`);
    } finally {
      await page.close();
    }
  },
  testTimeoutMs,
);

test(
  'names of files: an image, and what lies in a watched folder',
  async () => {
    const watched = join(folder.path, 'watched');
    mkdirSync(watched);
    const name = (text: string): string => text.replace(/[\0/]/g, '').slice(0, 60);
    for (const text of Object.values(hostileTexts)) {
      writeFileSync(join(watched, `${name(text)}.x`), 'no image');
    }
    const image = join(folder.path, `i${name(hostile)}`);
    makeRandomImage(image, 1);
    const config = join(folder.path, 'pars.yaml');
    writeFileSync(
      config,
      `store: webhdfs://127.0.0.1:1/pars\nspool: { path: ${join(folder.path, 'spool')} }\n`,
    );
    for (const words of [
      ['hook', 'dir', watched, '--settle', '1ms', '--config', config],
      ['hook', 'dir', `${watched}${name(hostile)}`, '--config', config],
      ['classify', image],
      ['kernel', image],
      ['classify', `${image}.none`],
      ['report', '--estimate', image, '--markdown', join(folder.path, 'report.md')],
      ['upload', image, '--name', name(hostile)],
      ['upload', image, '--name', 'vm', '--policy', name(hostile)],
    ]) {
      await expectSafe(words);
    }
  },
  testTimeoutMs,
);

test(
  'the words of a QEMU',
  async () => {
    const path = join(folder.path, 'qmp.sock');
    const refused = { error: { class: hostile.slice(0, 200), desc: hostile } };
    const fake = await FakeQemu.listen(path, { answers: { 'query-cpus-fast': () => refused } });
    try {
      const { exitCode, stderr } = await expectSafe([
        ...['upload', '--qmp', path, '--name', 'a', '--dry-run'],
      ]);
      expect(exitCode).toBe(exitCodeOfError.unavailable);
      expect(stderr).toContain('QEMU refused query-cpus-fast');
    } finally {
      await fake.close();
    }
  },
  testTimeoutMs,
);
