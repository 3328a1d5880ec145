// A snapshot that is stored in memory is what it is in any other store: pars verify foretells what the loss of nodes does to it.

import { ImageView } from '../../../introspect/memory/image-view.js';
import { labelNumbers } from '../../../introspect/page-class.js';
import { exitCodes } from '../../../src/cli/shared/exit-code.js';
import { verifyCommand } from '../../../src/cli/store/verify.js';
import { namedPolicies } from '../../../src/plan/policy.js';
import { takeSnapshot } from '../../../src/snapshot/take-snapshot.js';
import { memoryCluster } from '../../../src/store/memory/cluster.js';
import { openStore } from '../../../src/store/open-store.js';
import type { Store } from '../../../src/store/store.js';
import { healingFacts } from '../../restore/healing-facts.js';

const url = 'memory:whole-snapshot';
const image = Buffer.alloc(128 * 4096, 'in memory');

let store: Store;
let id: string;
beforeAll(async () => {
  store = await openStore(url);
  const regions = [{ gpaStart: 0, sizeBytes: image.length, imageOffset: 0 }];
  const { manifest } = await takeSnapshot({
    store,
    memory: new ImageView(regions, (offset, target) => {
      target.set(image.subarray(offset, offset + target.length));
    }),
    map: {
      regions,
      labels: new Uint8Array(128).fill(labelNumbers.anon, 0, 64).fill(labelNumbers.free, 64),
      evidence: { kind: 'complete' },
      warnings: [],
      kernel: undefined,
      healing: healingFacts,
      diskHeld: undefined,
    },
    policy: namedPolicies.strict.policy,
    vm: 'vm',
    state: { sizeBytes: 5, content: () => [Buffer.from('state')] },
  });
  id = manifest.header.id;
});
afterAll(() => store.close());

interface Answer {
  readonly lostPageCount: number;
  readonly underReplicated: readonly unknown[];
  readonly risks: readonly { readonly kind: string }[];
}

async function verify(): Promise<Answer & { readonly exitCode: number }> {
  let answer: Answer | undefined;
  const exitCode = await verifyCommand(
    id,
    { store: url },
    {
      signal: new AbortController().signal,
      onProgress: () => undefined,
      warn: () => undefined,
      print: (value) => {
        answer = value as Answer;
      },
    },
  );
  if (answer === undefined) {
    throw new Error('verify printed nothing');
  }
  return { exitCode, ...answer };
}

test('it is whole, and no two of its nodes are said to be one disk', async () => {
  const { exitCode, lostPageCount, risks } = await verify();
  expect({ exitCode, lostPageCount }).toEqual({ exitCode: exitCodes.ok, lostPageCount: 0 });
  expect(risks.map(({ kind }) => kind)).not.toContain('shared-disk');
});

test('any one node that is away costs copies, and free pages at most', async () => {
  const cluster = memoryCluster('whole-snapshot');
  let lostOnce = 0;
  for (const node of cluster.nodes) {
    cluster.takeAway(node);
    const { exitCode, lostPageCount, underReplicated } = await verify();
    cluster.bringBack(node);
    expect([0, 64]).toContain(lostPageCount);
    if (underReplicated.length > 0) {
      expect(exitCode).toBe(exitCodes.underReplicated);
    }
    lostOnce += lostPageCount;
  }
  // The pack that is stored once lies on one of them.
  expect(lostOnce).toBe(64);
  expect((await verify()).exitCode).toBe(exitCodes.ok);
});
