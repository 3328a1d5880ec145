// The table of `pars verify` fits a terminal, names every node while there are few, and of many only those that matter.

import { scenarioTable } from '../../../src/cli/store/scenario-table.js';
import { flatLines } from '../../../src/text/standard-streams.js';
import type { LossScenario, Verdict } from '../../../src/verify/loss-scenarios.js';

const columnCount = 80;

function scenario(
  without: LossScenario['without'],
  node: string | null,
  verdict: Verdict = 'resumes',
  lostPageCount = 0,
): LossScenario {
  return {
    without,
    node,
    lostPageCount,
    lostByLabel: {},
    healedPageCounts: { filling: lostPageCount, rereading: 0, disk: 0 },
    unhealedPageCount: 0,
    unhealed: [],
    lostFiles: [],
    verdict,
    reasons: verdict === 'does-not-resume' ? ['the device state is lost'] : [],
  };
}

function tableOf(nodes: readonly LossScenario[]): readonly string[] {
  return flatLines(
    scenarioTable([
      scenario('nothing', null),
      ...nodes,
      scenario('single-copies', null, 'resumes', 16_777_216),
    ]),
  );
}

const firstCells = (lines: readonly string[]) => lines.map((line) => line.split('  ')[0]);

test('a few nodes stand between what is lost now and what is lost with all single copies', () => {
  const lines = tableOf([scenario('node', '10.0.0.1:9866'), scenario('node', '10.0.0.2:9866')]);
  expect(firstCells(lines)).toEqual([
    'if lost',
    'nothing more',
    '10.0.0.1',
    '10.0.0.2',
    'single copies',
  ]);
});

test.each([
  [
    ['/srv/pars/disk1', '/srv/pars/disk2'],
    ['disk1', 'disk2'],
  ],
  [
    ['/mnt/a/pars', '/mnt/b/pars'],
    ['/mnt/a/pars', '/mnt/b/pars'],
  ],
  [
    ['dn1.example.com:9866', 'dn2.example.com:9866'],
    ['dn1', 'dn2'],
  ],
  [
    ['dn1.a.com:9866', 'dn2.b.com:9866'],
    ['dn1.a.com:9866', 'dn2.b.com:9866'],
  ],
  [
    ['10.0.0.5:9866', '10.0.1.5:9866'],
    ['10.0.0.5', '10.0.1.5'],
  ],
  [
    ['127.0.0.1:9866', '127.0.0.1:9867'],
    ['127.0.0.1:9866', '127.0.0.1:9867'],
  ],
  [['/only'], ['only']],
])('%j are named %j', (names, expected) => {
  const lines = tableOf(names.map((name) => scenario('node', name)));
  expect(firstCells(lines).slice(2, -1)).toEqual(expected);
});

test('a row says what becomes of the pages, and a line for what a guest does not resume', () => {
  const lines = tableOf([
    {
      ...scenario('node', 'a', 'resumes-with-disk', 30),
      healedPageCounts: { filling: 5, rereading: 10, disk: 15 },
    },
    scenario('node', 'b', 'does-not-resume'),
    scenario('node', 'c', 'does-not-resume'),
  ]);
  expect(lines[2].split(/ {2,}/)).toEqual(['a', '30', '5', '10', '15', '0', 'with disk']);
  expect(lines[3].split(/ {2,}/).at(-1)).toBe('no');
  expect(lines.at(-1)).toBe('b, c: the device state is lost');
});

test('one reason for everything is said once', () => {
  const table = scenarioTable([
    scenario('nothing', null, 'does-not-resume'),
    scenario('node', 'a', 'does-not-resume'),
    scenario('single-copies', null, 'does-not-resume'),
  ]);
  expect(flatLines(table).slice(4)).toEqual(['in every case: the device state is lost']);
});

describe('with hundreds of nodes', () => {
  const healthy = Array.from({ length: 300 }, (_, index) =>
    scenario('node', `10.0.12.${index}:9866`, 'resumes', index),
  );

  test('those that are as good as the best share a line', () => {
    const lines = tableOf([...healthy, scenario('node', '10.0.13.1:9866', 'does-not-resume')]);
    expect(firstCells(lines)).toEqual([
      'if lost',
      'nothing more',
      '10.0.13.1',
      'single copies',
      'any of 300 other nodes: yes, with up to 299 lost pages',
      '10.0.13.1: the device state is lost',
    ]);
  });

  test('of many that are worse the worst are listed, and the others counted', () => {
    const worse = healthy.map(({ node, lostPageCount }) =>
      scenario('node', `1${node}`, 'resumes-with-disk', lostPageCount),
    );
    const lines = tableOf([...healthy, ...worse]);
    expect(firstCells(lines).slice(2, 5)).toEqual(['110.0.12.299', '110.0.12.298', '110.0.12.297']);
    expect(lines.slice(-2)).toEqual([
      'any of 300 other nodes: yes, with up to 299 lost pages',
      'any of 292 other nodes: with disk, with up to 291 lost pages',
    ]);
  });
});

test('64 GiB of pages fit 80 columns, and so do the reasons', () => {
  const most = 16_777_216;
  const lines = tableOf(
    ['10.10.10.101:9866', '10.10.10.102:9866', '10.10.10.103:9866'].map((name) => ({
      ...scenario('node', name, 'does-not-resume', most),
      healedPageCounts: { filling: most, rereading: most, disk: most },
      unhealedPageCount: most,
      reasons: [`pages that cannot be healed are lost: ${Array(20).fill('7 anon').join(', ')}`],
    })),
  );
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columnCount);
});
