import { adviceOf } from '../../../src/report/model/advice.js';
import { compareAlternatives } from '../../../src/report/model/alternatives.js';
import { adviceSchema, type Choice } from '../../../src/report/model/report.js';
import type { ClusterShape } from '../../../src/store/capabilities.js';
import { assumptions, figures } from './figures.js';

const mebibyte = 2 ** 20;
const { alternatives } = compareAlternatives(figures, assumptions);

function choicesOn(cluster: Partial<ClusterShape>): ReadonlyMap<string, Choice> {
  const shape = { liveNodeCount: 12, rackCount: 3, enabledCodes: ['RS-6-3-1024k'], ...cluster };
  const advice = adviceOf({ alternatives, cluster: shape, assumptions });
  return new Map(adviceSchema.parse(advice).choices.map((choice) => [choice.name, choice]));
}

test('each choice takes what critical packs take so, and what heals is kept once in all', () => {
  const choices = choicesOn({});
  expect(choices.get('2 copies')?.storedBytes).toBe(1_000_000 + 2 * 700_000);
  expect(choices.get('3 copies')?.storedBytes).toBe(1_000_000 + 3 * 700_000);
  // Two packs of 350 000 bytes: parity is as long as the one cell of each.
  expect(choices.get('RS-6-3-1024k')?.storedBytes).toBe(1_000_000 + 4 * 700_000);
  expect(350_000).toBeLessThan(mebibyte);
});

test('what is survived, and what reading costs, is that of the code', () => {
  expect(choicesOn({}).get('RS-6-3-1024k')).toMatchObject({
    survivedNodeCount: 3,
    readNodeCount: 6,
    bytesReadPerLostByte: 6,
  });
  expect(choicesOn({}).get('3 copies')).toMatchObject({ survivedNodeCount: 2, readNodeCount: 1 });
});

test('what the cluster lacks is said: nodes first, then a policy that is not enabled', () => {
  const choices = choicesOn({});
  expect(choices.get('3 copies')?.lacks).toBeNull();
  expect(choices.get('RS-6-3-1024k')?.lacks).toBeNull();
  expect(choices.get('RS-10-4-1024k')?.lacks).toBe('needs 14 DataNodes, and 12 are alive');
  expect(choices.get('RS-3-2-1024k')?.lacks).toBe(
    'not enabled: hdfs ec -enablePolicy -policy RS-3-2-1024k',
  );
});

test('a cluster that does not say lacks nothing that is known', () => {
  const silent = { liveNodeCount: undefined, rackCount: undefined, enabledCodes: undefined };
  for (const { lacks, survivesRack } of choicesOn(silent).values()) {
    expect([lacks, survivesRack]).toEqual([null, null]);
  }
});

test('codes that the cluster has beside the usual ones are told too', () => {
  expect(choicesOn({ enabledCodes: ['XOR-2-1-1024k', 'LRC-9-9-1k'] }).has('XOR-2-1-1024k')).toBe(
    true,
  );
});

test.each([
  [1, { '3 copies': false, 'RS-6-3-1024k': false }],
  [2, { '2 copies': true, '3 copies': true, 'RS-3-2-1024k': false, 'RS-6-3-1024k': false }],
  [3, { '3 copies': true, 'RS-3-2-1024k': true, 'RS-6-3-1024k': true, 'RS-10-4-1024k': false }],
])('of %i racks one may go, or not', (rackCount, expected) => {
  const choices = choicesOn({ rackCount });
  for (const [name, survives] of Object.entries(expected)) {
    expect([name, choices.get(name)?.survivesRack]).toEqual([name, survives]);
  }
});

test('without figures of packs there is no advice', () => {
  const raw = alternatives.filter(({ family }) => family !== 'pars');
  const cluster = { liveNodeCount: 9, rackCount: 1, enabledCodes: [] };
  expect(adviceOf({ alternatives: raw, cluster, assumptions })).toBeUndefined();
});
