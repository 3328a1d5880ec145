// A guest's migration stream goes in as one file and comes out as one that QEMU loads: without --state, and with the
// guest's own checksums as judge.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fixtureGuest } from '../guest/fixtures.js';
import { resumeGuest } from '../guest/guest.js';
import type { SnapshotFixture } from '../guest/snapshot-fixture.js';
import {
  errorAnswer,
  nothingHealed,
  restoreAnswer,
  showAnswer,
  uploadAnswer,
} from './command-answers.js';
import { expectPars } from './pars-command.js';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.js';

const guestBootTimeoutMs = 300_000;
const stepTimeoutMs = 120_000;

let guest: SnapshotFixture;
let folder: TemporaryFolder;
let id: string;
const pars = async (exitCode: number, ...args: readonly string[]) =>
  (
    await expectPars(exitCode, [...args, '--json'], {
      storeUrl: pathToFileURL(join(folder.path, 'store')).href,
    })
  ).json;

beforeAll(async () => {
  guest = await fixtureGuest('aged');
  folder = await makeTemporaryFolder();
}, guestBootTimeoutMs);
afterAll(() => folder.remove(), stepTimeoutMs);

test(
  'a stream is stored with the state that is in it',
  async () => {
    const stream = join(folder.path, 'stream');
    const source = await resumeGuest(guest, { paused: true });
    await source.saveStream(stream).finally(() => source.close());
    const answer = uploadAnswer.parse(await pars(0, 'upload', stream, '--name', 'aged'));
    expect(answer).toMatchObject({ evidence: { kind: 'complete' }, underReplicated: [] });
    ({ id } = answer);
    const shown = showAnswer.parse(await pars(0, 'show', id));
    expect(shown.imageSizeBytes).toBe(statSync(guest.ramPath).size);
    expect(shown.attachments).toHaveLength(1);
  },
  stepTimeoutMs,
);

test(
  'it comes back as one stream, from which the guest runs on with all it held',
  async () => {
    const out = join(folder.path, 'whole');
    const answer = restoreAnswer.parse(
      await pars(0, 'restore', id, '--out', out, '--output-format', 'migration'),
    );
    const streamPath = join(out, 'migration');
    expect(answer).toEqual({
      id,
      ram: null,
      state: null,
      stream: streamPath,
      lostPageCount: 0,
      lost: [],
      healing: nothingHealed,
    });
    const resumed = await resumeGuest(guest, { streamPath });
    try {
      expect(await resumed.checksums()).toEqual(guest.checksums);
    } finally {
      await resumed.close();
    }
  },
  stepTimeoutMs,
);

test('it does not come back as a virsh save file, which it never was', async () => {
  const out = join(folder.path, 'save');
  const answer = errorAnswer.parse(
    await pars(11, 'restore', id, '--out', out, '--output-format', 'libvirt-save'),
  );
  expect(answer.error).toMatchObject({ code: 'unsupported' });
  expect(answer.error.message).toMatch(/does not come from a virsh save file/);
});
