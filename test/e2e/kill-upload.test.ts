// An upload that is ended at any moment leaves no snapshot, or a whole one if it had come to its end; never half of one.
// Killed, it cannot clean up; interrupted, it must.
//
// The image is random bytes: what it holds does not matter here, and it keeps the uploads short.

import { rm } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { timesOf } from '../slice.js';
import { errorAnswer, listAnswer, uploadAnswer } from './command-answers.js';
import { sha256Of } from './file-hash.js';
import {
  clusterStartTimeoutMs,
  hdfsDfs,
  startStoreOnHdfs,
  type StoreOnHdfs,
} from './hdfs-cluster.js';
import { expectPars, startPars } from './pars-command.js';
import { makeRandomImage } from './random-image.js';
import { randomNumbers } from './random-numbers.js';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.js';

const testTimeoutMs = 300_000;
const momentCount = timesOf({ slice: 4, whole: 20 });
/** Three packs: as many as are sent at a time. */
const imageMib = 130;
const noKernel = 20;
const interrupted = 130;
const killed = 137;

let store: StoreOnHdfs;
let folder: TemporaryFolder;
let image: string;
/** The snapshot that is there before all others, and must stay. */
let firstId: string;
let uploadMs: number;

const upload = () => ['upload', image, '--name', 'noise', '--json'];
const idsListed = async () => {
  const { json } = await expectPars(0, ['list', '--json'], { storeUrl: store.url });
  return listAnswer.parse(json).map(({ id }) => id);
};
/** Names of everything in the store. */
const everything = async () =>
  (await hdfsDfs(store.cluster, '-ls', '-R', '-C', store.rootPath)).trim().split('\n').sort();

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  image = join(folder.path, 'noise');
  makeRandomImage(image, imageMib);
  store = await startStoreOnHdfs();
  const outcome = await expectPars(noKernel, upload(), { storeUrl: store.url });
  firstId = uploadAnswer.parse(outcome.json).id;
  uploadMs = outcome.durationMs;
}, clusterStartTimeoutMs);

afterAll(async () => {
  await (store as StoreOnHdfs | undefined)?.cluster.close();
  await folder.remove();
});

test(
  'an upload that is killed leaves no snapshot, at whatever moment',
  async () => {
    const random = randomNumbers('kill-upload');
    let cutOffCount = 0;
    const known = [firstId];
    for (let attempt = 0; cutOffCount < momentCount && attempt < 3 * momentCount; attempt++) {
      const atMs = ((cutOffCount + random.next()) / momentCount) * uploadMs;
      const { child, ended } = startPars(upload(), { storeUrl: store.url });
      await Promise.race([sleep(atMs), ended]);
      child.kill('SIGKILL');
      const { exitCode, durationMs } = await ended;
      expect([killed, noKernel]).toContain(exitCode);
      const added = (await idsListed()).filter((id) => !known.includes(id));
      if (added.length === 0) {
        // Had it come to its end, it would be there.
        expect({ atMs, exitCode }).toEqual({ atMs, exitCode: killed });
        cutOffCount++;
        continue;
      }
      // Faster than those before, as daemons get once they are warm. Then it has to be whole, and the moment is tried anew.
      expect(added).toHaveLength(1);
      await expectPars(0, ['verify', added[0], '--read-data'], { storeUrl: store.url });
      known.push(added[0]);
      uploadMs = Math.min(uploadMs, durationMs);
    }
    expect(cutOffCount).toBe(momentCount);
    const leftovers = (await everything()).filter(
      (path) => path.includes('/packs/') && !known.some((id) => path.includes(id)),
    );
    expect(leftovers).not.toEqual([]);
  },
  testTimeoutMs,
);

test(
  'the next upload works beside what the killed ones left, and restores the same',
  async () => {
    const outcome = await expectPars(noKernel, upload(), { storeUrl: store.url });
    const { id } = uploadAnswer.parse(outcome.json);
    expect(await idsListed()).toEqual(expect.arrayContaining([firstId, id]));
    for (const restored of [id, firstId]) {
      const out = join(folder.path, restored);
      await expectPars(0, ['restore', restored, '--out', out], { storeUrl: store.url });
      expect(await sha256Of(join(out, 'ram'))).toBe(await sha256Of(image));
      await rm(out, { recursive: true });
    }
  },
  testTimeoutMs,
);

test.each([
  ['as it makes its folder', /^[0-9a-f]{16}$/],
  ['as a pack of it comes into place', /\.pack$/],
])(
  'an upload interrupted %s takes back all it has written',
  async (_, sign) => {
    const before = await everything();
    const { child, ended, hasEnded } = startPars(upload(), { storeUrl: store.url });
    await appearance(before, sign, hasEnded);
    child.kill('SIGINT');
    const outcome = await ended;
    expect(outcome.exitCode).toBe(interrupted);
    expect(errorAnswer.parse(outcome.json).error.code).toBe('cancelled');
    expect(await everything()).toEqual(before);
  },
  testTimeoutMs,
);

/** Until there is something new in packs/ whose name is like `sign`. Asks the NameNode directly, which takes milliseconds. */
async function appearance(
  before: readonly string[],
  sign: RegExp,
  hasEnded: () => boolean,
): Promise<void> {
  const packsPath = `${store.rootPath}/packs`;
  const namesIn = async (path: string) => {
    const url = `${store.cluster.nameNodeHttpUrl}/webhdfs/v1${path}?op=LISTSTATUS&user.name=${userInfo().username}`;
    return [...(await (await fetch(url)).text()).matchAll(/"pathSuffix":"([^"]+)"/g)].map(
      ([, name]) => name,
    );
  };
  for (;;) {
    for (const id of await namesIn(packsPath)) {
      const path = `${packsPath}/${id}`;
      if (before.includes(path)) {
        continue;
      }
      if (sign.test(id) || (await namesIn(path)).some((name) => sign.test(name))) {
        return;
      }
    }
    if (hasEnded()) {
      throw new Error(`the upload ended before ${sign.source} appeared`);
    }
    await sleep(10);
  }
}
