// Question: what does healing add to a restore from which everything that was stored once is missing?
// Method: a guest in an HDFS on this machine, its single copies destroyed and known to be, so that a restore reads
//   critical packs and nothing else: the shortest restore, and so the largest share for healing. Each round restores with
//   healing and without, in turn first; ratios pair by pair. In one process, as its start would flatter the ratio.
// Non-goals: what a restore costs beside `hdfs dfs -get` (hdfs-transfer.ts); what the guest pays when it reads again.
// Run: npm run bench -- healing [ROUNDS]
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { classify } from '../introspect/label/classify.js';
import { findKernel } from '../introspect/label/find-kernel.js';
import { openRawFile } from '../introspect/memory/formats/raw-file.js';
import type { Manifest } from '../src/manifest/types.js';
import { usedFrames } from '../src/manifest/used-frames.js';
import { findLostPacks } from '../src/pages/read-frames.js';
import { defaultPolicy } from '../src/plan/policy.js';
import type { RestoreResult } from '../src/restore/restore-result.js';
import { restoreSnapshot } from '../src/restore/restore-snapshot.js';
import { takeSnapshot } from '../src/snapshot/take-snapshot.js';
import { openStore } from '../src/store/open-store.js';
import type { Store } from '../src/store/store.js';
import { fixtureGuest, type FixtureName } from '../test/guest/fixtures.js';
import { startHdfs } from '../test/hdfs/cluster.js';
import { destroySingleCopies } from '../test/soak/destroy-blocks.js';
import { formatSpread } from './samples.js';

const rounds = Number(process.argv[2] ?? 5);
const warmupRounds = 2;
/** A guest whose cache is in folios of one page, so that there is an edit for every page. */
const guests: readonly FixtureName[] = ['aged'];
const noticeTimeoutMs = 60_000;

async function upload(name: FixtureName, store: Store): Promise<Manifest> {
  const guest = await fixtureGuest(name);
  const image = openRawFile(guest.ramPath);
  try {
    const introspected = findKernel(image);
    const { memory } = introspected;
    const { manifest } = await takeSnapshot({
      ...{ store, memory, map: classify(introspected), policy: defaultPolicy, vm: name },
      statePath: guest.statePath,
    });
    return manifest;
  } finally {
    image.close();
  }
}

/** Until the NameNode has heard from its DataNodes that the blocks are gone. */
async function waitUntilNoticed(store: Store, manifest: Manifest): Promise<void> {
  const wanted = usedFrames(manifest.frames, manifest.spaces);
  const deadlineMs = performance.now() + noticeTimeoutMs;
  const singleCount = manifest.header.packs.filter(({ replication }) => replication === 1).length;
  for (;;) {
    const lost = await findLostPacks({ store, manifest, wanted });
    if (lost.size === singleCount) {
      return;
    }
    if (performance.now() > deadlineMs) {
      throw new Error('the NameNode does not notice the loss');
    }
    await setTimeout(500);
  }
}

for (const name of guests) {
  const folder = await mkdtemp(join(tmpdir(), 'pars-bench-'));
  const cluster = await startHdfs({
    dataNodeCount: 3,
    configOverrides: { 'dfs.datanode.directoryscan.interval': '1' },
  });
  try {
    const path = '/pars';
    const store = await openStore(cluster.webhdfsUrl(path, userInfo().username));
    const manifest = await upload(name, store);
    await destroySingleCopies(cluster, path);
    await waitUntilNoticed(store, manifest);
    const restore = async (noHeal: boolean): Promise<[number, RestoreResult]> => {
      const out = join(folder, 'out');
      const started = performance.now();
      const result = await restoreSnapshot({
        ...{ store, manifest, folder: out, noHeal, allowLost: noHeal },
      });
      const seconds = (performance.now() - started) / 1000;
      await rm(out, { recursive: true });
      return [seconds, result];
    };
    const healed: number[] = [];
    const plain: number[] = [];
    let figures: RestoreResult['healing'] | undefined;
    for (let round = 0; round < warmupRounds + rounds; round++) {
      for (const noHeal of round % 2 === 0 ? [false, true] : [true, false]) {
        const [seconds, result] = await restore(noHeal);
        if (!noHeal) {
          figures = result.healing;
        }
        if (round >= warmupRounds) {
          (noHeal ? plain : healed).push(seconds);
        }
      }
    }
    const ratios = healed.map((seconds, round) => seconds / plain[round]);
    console.log(`${name}: ${rounds} rounds, median (min - max)`);
    console.log(`  restore without healing  ${formatSpread(plain)} s`);
    console.log(`  restore with healing     ${formatSpread(healed)} s`);
    console.log(`  ratio                    ${formatSpread(ratios, 3)}`);
    console.log(
      `  ${figures?.filledPageCount} pages filled, ${figures?.rereadPageCount} in ${figures?.rereadFolioCount} folios to be read again`,
    );
    await store.close();
  } finally {
    await cluster.close();
    await rm(folder, { recursive: true, force: true });
  }
}
