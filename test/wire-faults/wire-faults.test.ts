// A slice of `npm run test:wire`: of each operation, each point and each action some.
import { type HdfsCluster, startHdfs } from '../hdfs/cluster.js';
import { timesOf } from '../slice.js';
import { casesAtOnce, runBatch } from './batch.js';
import { boundsFor } from './bounds.js';
import { casesOf } from './wire-case.js';

const testTimeoutMs = 300_000;
const seed = 1;

let cluster: HdfsCluster;
beforeAll(async () => {
  cluster = await startHdfs();
});
afterAll(async () => {
  await cluster.close();
});

test(
  'whatever breaks on the wire, files are whole, at all their copies and closed, and nobody waits long',
  async () => {
    const cases = casesOf(seed, timesOf({ slice: 12, whole: 200 }), 0);
    const bounds = await boundsFor(cluster, casesAtOnce);
    const outcomes = await runBatch(cluster, '/slice', cases, bounds);
    const wrong = cases.flatMap((wireCase) => {
      const found = outcomes.get(wireCase.number)?.wrong ?? ['it was not run'];
      return found.length === 0 ? [] : [{ ...wireCase, found }];
    });
    expect(wrong).toEqual([]);
  },
  testTimeoutMs,
);
