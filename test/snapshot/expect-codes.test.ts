// What is refused before anything is written; that nothing was is seen on a real cluster in
// test/e2e/coded-packs.test.ts.
import { defaultPolicy } from '../../src/plan/policy.js';
import { expectCodes } from '../../src/snapshot/expect-codes.js';
import type { ClusterShape, StoreCapabilities } from '../../src/store/capabilities.js';
import { openStore } from '../../src/store/open-store.js';
import { reedSolomon } from '../../src/store/redundancy.js';
import type { Store } from '../../src/store/store.js';

const policy = { ...defaultPolicy, anon: reedSolomon(6, 3), slab: reedSolomon(3, 2) };
const enough: ClusterShape = {
  liveNodeCount: 9,
  rackCount: 3,
  enabledCodes: ['RS-6-3-1024k', 'RS-3-2-1024k'],
};

let plain: Store;
beforeAll(async () => {
  plain = await openStore('memory:codes');
});
afterAll(async () => {
  await plain.close();
});

function storeOn(cluster: ClusterShape): Store {
  const can: StoreCapabilities = {
    writeErasureCoded: true,
    describeCluster: () => Promise.resolve(cluster),
  };
  return { ...plain, can };
}

function refused(store: Store, allowFewer = false) {
  return expect(expectCodes(store, { policy, allowFewer })).rejects;
}

test('a policy without codes asks nobody', async () => {
  await expectCodes(plain, { policy: defaultPolicy });
});

test('a store of whole copies is told from one that codes', async () => {
  await refused(plain).toMatchObject({
    code: 'usage',
    message: expect.stringMatching(/RS-6-3-1024k and RS-3-2-1024k.* whole copies only/) as unknown,
  });
});

test('nodes as many as units are enough, and a store that does not say is taken', async () => {
  await expectCodes(storeOn(enough), { policy });
  const silent = { liveNodeCount: undefined, rackCount: undefined, enabledCodes: undefined };
  await expectCodes(storeOn(silent), { policy });
});

test('a policy that is not enabled is named, with the command that enables it', async () => {
  const store = storeOn({ ...enough, enabledCodes: ['RS-6-3-1024k'] });
  await refused(store, true).toMatchObject({
    code: 'usage',
    message: expect.stringMatching(
      /RS-3-2-1024k, .*has not enabled.*\(it has RS-6-3-1024k\).*hdfs ec -enablePolicy -policy RS-3-2-1024k; nothing was written/,
    ) as unknown,
  });
});

test.each([8, 6])(
  '%i nodes are too few for RS-6-3, unless that is allowed',
  async (liveNodeCount) => {
    const store = storeOn({ ...enough, liveNodeCount });
    await refused(store).toMatchObject({
      code: 'usage',
      message: expect.stringMatching(
        new RegExp(
          `needs 9 DataNodes, of which the cluster has ${liveNodeCount} .*loss of ${liveNodeCount - 6} nodes in place of 3.*--allow-fewer`,
        ),
      ) as unknown,
    });
    await expectCodes(store, { policy, allowFewer: true });
  },
);

test('fewer nodes than there are units of data are refused whatever is allowed', async () => {
  await refused(storeOn({ ...enough, liveNodeCount: 5 }), true).toMatchObject({
    code: 'usage',
    message: expect.stringMatching(/writes nothing so with fewer than 6/) as unknown,
  });
});
