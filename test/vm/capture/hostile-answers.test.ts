// Answers that no QEMU gives, to each question that is asked of one: an error of the closed list, or nothing worse than
// what they say; never a defect, and never a value that nobody has looked at.
import { join } from 'node:path';
import { ParsError } from '../../../introspect/pars-error.js';
import { putRight } from '../../../src/vm/capture/clean-up/put-right.js';
import { unprotectMemory } from '../../../src/vm/capture/clean-up/unprotect.js';
import { findOwnNodes } from '../../../src/vm/capture/disks/block-graph.js';
import {
  parseGuardAnswer,
  parseGuardRequest,
} from '../../../src/vm/capture/guard/guard-protocol.js';
import { queryMigration } from '../../../src/vm/capture/migration.js';
import { readVcpuThreads } from '../../../src/vm/capture/vcpu-threads.js';
import { readVmFacts } from '../../../src/vm/capture/vm-facts.js';
import { QmpClient } from '../../../src/vm/qmp/qmp-client.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../../e2e/temporary-folder.js';
import { FakeQemu } from '../qmp/fake-qemu.js';
import { hostileLines, hostileValues } from '../qmp/hostile-lines.js';

/** As a QEMU without disks says it. */
const goodAnswers: Readonly<Record<string, unknown>> = {
  'query-version': { qemu: { major: 9, minor: 0, micro: 0 } },
  'query-uuid': { UUID: '00000000-0000-0000-0000-000000000000' },
  'qom-list': [{ name: 'vda', type: 'child<virtio-blk-pci>' }],
  'query-status': { status: 'running' },
  'query-memory-size-summary': { 'base-memory': 4096 },
  'query-migrate-capabilities': [{ capability: 'mapped-ram', state: false }],
  'query-migrate-parameters': {},
  'query-block': [],
  'query-iothreads': [],
  'query-memdev': [{ id: 'ram0', size: 4096, share: true }],
  'qom-get': '/ram',
  'query-migrate': {},
  'query-cpus-fast': [{ 'thread-id': 1 }],
  'x-debug-query-block-graph': { nodes: [], edges: [] },
  'query-block-exports': [],
};

const asked: Readonly<Record<string, (qmp: QmpClient) => Promise<unknown>>> = {
  readVmFacts,
  findOwnNodes,
  queryMigration,
  readVcpuThreads,
  putRight: (qmp) => putRight(qmp),
  unprotectMemory: (qmp) => unprotectMemory(qmp, undefined),
};

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await makeTemporaryFolder();
});
afterEach(() => folder.remove());

async function outcomeOf(
  work: (qmp: QmpClient) => Promise<unknown>,
  answers: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const path = join(folder.path, 'qmp.sock');
  const fake = await FakeQemu.listen(path, {
    answers: Object.fromEntries(
      Object.entries(answers).map(([name, value]) => [name, () => ({ return: value })]),
    ),
  });
  const qmp = await QmpClient.connect(path);
  try {
    return await work(qmp).then(
      () => undefined,
      (error: unknown) => error,
    );
  } finally {
    qmp.close();
    await fake.close();
  }
}

describe.each(Object.entries(asked))('%s', (_, work) => {
  test('takes the answers of a QEMU', async () => {
    const outcome = await outcomeOf(work, goodAnswers);
    // Whether a process of this number has such a descriptor is another matter.
    expect(outcome === undefined || outcome instanceof ParsError).toBe(true);
  });

  test.each(Object.keys(goodAnswers))('refuses what else may come as %s', async (command) => {
    for (const value of hostileValues) {
      const error = await outcomeOf(work, { ...goodAnswers, [command]: value });
      expect({ value, isKnown: error === undefined || error instanceof ParsError }).toEqual({
        value,
        isKnown: true,
      });
    }
  });
});

test('a capture and its guard take nothing from each other but what they say', () => {
  for (const line of Object.values(hostileLines)) {
    expect(parseGuardRequest(line)).toBeUndefined();
    expect(() => parseGuardAnswer(line)).toThrow(ParsError);
  }
});
