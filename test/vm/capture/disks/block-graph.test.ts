import { join } from 'node:path';
import fc from 'fast-check';
import { findOwnNodes, type OwnNodes } from '../../../../src/vm/capture/disks/block-graph.js';
import { QmpClient } from '../../../../src/vm/qmp/qmp-client.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../../../e2e/temporary-folder.js';
import { FakeQemu } from '../../qmp/fake-qemu.js';

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await makeTemporaryFolder();
});
afterEach(() => folder.remove());

interface Graph {
  readonly nodes: readonly { readonly id: number; readonly type: string; readonly name: string }[];
  readonly edges: readonly {
    readonly name: string;
    readonly parent: number;
    readonly child: number;
  }[];
}

async function ownNodesOf(graph: Graph, drives: readonly unknown[]): Promise<OwnNodes> {
  const fake = await FakeQemu.listen(join(folder.path, 'qmp.sock'), {
    answers: {
      'x-debug-query-block-graph': () => ({ return: graph }),
      'query-block': () => ({ return: drives }),
    },
  });
  const qmp = await QmpClient.connect(fake.path);
  try {
    return await findOwnNodes(qmp);
  } finally {
    qmp.close();
    await fake.close();
  }
}

const driver = (id: number, name: string) => ({ id, type: 'block-driver', name });
const drive = (qdev: string, nodeName: string) => ({ qdev, inserted: { 'node-name': nodeName } });

test('a device with our filter in front is told with what stood there before', async () => {
  const graph = {
    nodes: [driver(1, 'disk0'), driver(2, 'pars-filter-0'), driver(3, 'pars-target-0')],
    edges: [
      { name: 'file', parent: 2, child: 1 },
      { name: 'target', parent: 2, child: 3 },
    ],
  };
  const drives = [
    drive('/machine/peripheral/d0/virtio-backend', 'pars-filter-0'),
    drive('/machine/peripheral/d1', 'disk1'),
  ];
  expect(await ownNodesOf(graph, drives)).toEqual({
    filtered: [{ qomPath: '/machine/peripheral/d0', nodeName: 'disk0' }],
    names: ['pars-filter-0', 'pars-target-0'],
  });
});

test("what is not ours is left alone, whatever QEMU's other objects are called", async () => {
  const graph = {
    nodes: [
      driver(1, 'disk0'),
      driver(2, 'parsley'),
      { id: 3, type: 'block-job', name: 'pars-job' },
    ],
    edges: [{ name: 'file', parent: 2, child: 1 }],
  };
  expect(await ownNodesOf(graph, [drive('/machine/d', 'parsley')])).toEqual({
    filtered: [],
    names: [],
  });
});

test('whoever uses a node comes before it', async () => {
  // An edge leads from a higher number to a lower one, so there is no circle.
  const anyEdges = fc.array(
    fc
      .tuple(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 0, max: 7 }))
      .filter(([a, b]) => a !== b)
      .map(([a, b]) => ({ name: 'file', parent: Math.max(a, b), child: Math.min(a, b) })),
    { maxLength: 20 },
  );
  const nodes = [...Array(8).keys()].map((id) => driver(id, `pars-${id}`));
  await fc.assert(
    fc.asyncProperty(anyEdges, fc.shuffledSubarray(nodes, { minLength: 8 }), async (edges, all) => {
      const { names } = await ownNodesOf({ nodes: all, edges }, []);
      expect(names.toSorted()).toEqual(nodes.map(({ name }) => name).toSorted());
      for (const { parent, child } of edges) {
        expect(names.indexOf(`pars-${parent}`)).toBeLessThan(names.indexOf(`pars-${child}`));
      }
    }),
    { numRuns: 30 },
  );
});
