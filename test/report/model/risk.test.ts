// Probabilities by formula, held against every choice there is where they can be counted, against dice where they cannot,
// and against what must hold for any cluster.

import fc from 'fast-check';
import type { PlacedBlock, Placement } from '../../../src/report/model/placement.js';
import type { Part } from '../../../src/report/model/report.js';
import { riskOf } from '../../../src/report/model/risk.js';
import { copies, type Redundancy, reedSolomon } from '../../../src/store/redundancy.js';
import { randomFrom } from '../../e2e/random-numbers.js';

const part = (redundancy: Redundancy, blockCount: number, ifLost: Part['ifLost']): Part => ({
  redundancy,
  sizeBytes: blockCount,
  fileCount: 1,
  blockCount,
  ifLost,
});
const cluster = (nodeCount: number) => ({ nodeCount, annualFailureRate: 0.05, repairHours: 24 });
const shapeOf = (redundancy: Redundancy) =>
  redundancy.kind === 'copies'
    ? { units: redundancy.count, needed: 1 }
    : {
        units: redundancy.dataUnitCount + redundancy.parityUnitCount,
        needed: redundancy.dataUnitCount,
      };

/** Every choice of `size` of the numbers below `count`, as sets of bits. */
function choices(count: number, size: number): readonly number[] {
  return [...Array(2 ** count).keys()].filter((set) => bitCount(set) === size);
}

function bitCount(set: number): number {
  let count = 0;
  for (let rest = set; rest > 0; rest &= rest - 1) {
    count++;
  }
  return count;
}

const anyRedundancy = fc.oneof(
  fc.integer({ min: 1, max: 5 }).map(copies),
  fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 }))
    .map(([dataUnitCount, parityUnitCount]) => reedSolomon(dataUnitCount, parityUnitCount)),
);
const anyPart = fc
  .tuple(
    anyRedundancy,
    fc.integer({ min: 0, max: 1000 }),
    fc.constantFrom<Part['ifLost']>('does-not-resume', 'heals'),
  )
  .map((values) => part(...values));

describe('computed', () => {
  test('the loss of one block is the share of choices that cost too many of its units', () => {
    fc.assert(
      fc.property(anyRedundancy, fc.integer({ min: 1, max: 9 }), (redundancy, nodeCount) => {
        const { units, needed } = shapeOf(redundancy);
        const places = choices(nodeCount, Math.min(units, nodeCount));
        const { nodeLosses } = riskOf([part(redundancy, 1, 'heals')], cluster(nodeCount));
        expect(nodeLosses.map((loss) => loss.nodeCount)).toEqual([1, 2, 3].slice(0, nodeCount));
        for (const loss of nodeLosses) {
          const gone = 2 ** loss.nodeCount - 1;
          const lost = places.filter((place) => bitCount(place & ~gone) < needed);
          expect(loss.heals).toBeCloseTo(lost.length / places.length, 12);
          expect(loss).toMatchObject({ doesNotResume: 0, basis: 'computed' });
        }
      }),
    );
  });

  test('three copies on five nodes: every tenth choice of three costs a given block', () => {
    const { nodeLosses } = riskOf([part(copies(3), 1, 'does-not-resume')], cluster(5));
    expect(nodeLosses.map(({ doesNotResume }) => doesNotResume)).toEqual([
      0,
      0,
      expect.closeTo(0.1, 12),
    ]);
  });

  test('many blocks of several kinds are lost as often as dice say', () => {
    const nodeCount = 7;
    const parts = [
      part(copies(3), 4, 'does-not-resume'),
      part(reedSolomon(3, 2), 3, 'does-not-resume'),
      part(copies(1), 2, 'heals'),
      part(copies(2), 5, 'heals'),
    ];
    const { nodeLosses } = riskOf(parts, cluster(nodeCount));
    const random = randomFrom(7);
    const throwCount = 40_000;
    const fatal = [0, 0, 0];
    const healed = [0, 0, 0];
    for (let thrown = 0; thrown < throwCount; thrown++) {
      const lostWith = throwBlocks(parts, nodeCount, random).map(({ ifLost, nodes, needed }) => ({
        ifLost,
        isLost: (goneCount: number) => nodes.filter((node) => node >= goneCount).length < needed,
      }));
      for (const goneCount of [1, 2, 3]) {
        const lost = lostWith.filter(({ isLost }) => isLost(goneCount));
        if (lost.some(({ ifLost }) => ifLost === 'does-not-resume')) {
          fatal[goneCount - 1]++;
        } else if (lost.length > 0) {
          healed[goneCount - 1]++;
        }
      }
    }
    for (const [index, loss] of nodeLosses.entries()) {
      expectSeldomOtherwise(fatal[index], throwCount, loss.doesNotResume);
      expectSeldomOtherwise(healed[index], throwCount, loss.heals);
    }
    // Otherwise nothing was compared.
    expect(Math.min(fatal[2], healed[0], healed[1], healed[2])).toBeGreaterThan(1000);
  });

  test('on fewer nodes than a group needs nothing is kept, and on fewer than it has units the others are left out', () => {
    const needsSix = [part(reedSolomon(6, 3), 1, 'does-not-resume')];
    const onFive = riskOf(needsSix, cluster(5));
    expect(onFive.nodeLosses.map(({ doesNotResume }) => doesNotResume)).toEqual([1, 1, 1]);
    expect(onFive.perYear.doesNotResume).toBe(1);
    // Six units of data and one of parity.
    const onSeven = riskOf(needsSix, cluster(7));
    expect(onSeven.nodeLosses.map(({ doesNotResume }) => doesNotResume)).toEqual([
      0,
      expect.closeTo(1, 12),
      expect.closeTo(1, 12),
    ]);
    expect(onSeven.perYear.doesNotResume).toBeLessThan(1);
  });

  test('more nodes gone cost no less, more copies no more, and all are probabilities', () => {
    fc.assert(
      fc.property(
        fc.array(anyPart, { maxLength: 4 }),
        fc.integer({ min: 1, max: 10_000 }),
        (parts, nodeCount) => {
          const { nodeLosses, perYear } = riskOf(parts, cluster(nodeCount));
          let before = { doesNotResume: 0, anything: 0 };
          for (const { doesNotResume, heals } of nodeLosses) {
            const anything = doesNotResume + heals;
            expectProbability(doesNotResume);
            expectProbability(heals);
            expectProbability(anything);
            expect(doesNotResume).toBeGreaterThanOrEqual(before.doesNotResume - 1e-12);
            expect(anything).toBeGreaterThanOrEqual(before.anything - 1e-12);
            before = { doesNotResume, anything };
          }
          expectProbability(perYear.doesNotResume);
          expectProbability(perYear.heals);
          expectProbability(perYear.doesNotResume + perYear.heals);
          const safer = riskOf(
            parts.map(({ redundancy, ...rest }) => ({
              ...rest,
              redundancy:
                redundancy.kind === 'copies'
                  ? copies(redundancy.count + 1)
                  : { ...redundancy, parityUnitCount: redundancy.parityUnitCount + 1 },
            })),
            cluster(nodeCount),
          );
          for (const [index, { doesNotResume }] of safer.nodeLosses.entries()) {
            expect(doesNotResume).toBeLessThanOrEqual(nodeLosses[index].doesNotResume + 1e-12);
          }
        },
      ),
    );
  });

  test('millions of blocks on ten thousand nodes neither overflow nor vanish', () => {
    const nodeCount = 10_000;
    const blockCount = 5e6;
    const parts = [part(copies(3), blockCount, 'does-not-resume')];
    const { nodeLosses, perYear } = riskOf(parts, cluster(nodeCount));
    const tripleCount = (nodeCount * (nodeCount - 1) * (nodeCount - 2)) / 6;
    expect(nodeLosses[2].doesNotResume / (blockCount / tripleCount)).toBeCloseTo(1, 4);
    // So few of all triples are blocks that hardly two are the same.
    const repairYears = 24 / 8766;
    const rate = blockCount * 3 * 0.05 ** 3 * repairYears ** 2;
    expect(perYear.doesNotResume / -Math.expm1(-rate)).toBeCloseTo(1, 4);
    const widest = riskOf([part(copies(10), 1, 'does-not-resume')], cluster(nodeCount));
    expect(widest.perYear.doesNotResume).toBeGreaterThan(0);
    expect(widest.perYear.doesNotResume).toBeLessThan(1e-30);
  });
});

describe('in a year', () => {
  const nodeCount = 6;
  const assumptions = { nodeCount, annualFailureRate: 1, repairHours: 0.004 * 8766 };
  const yearCount = 40_000;

  /** Whether the nodes of one block were down at once, so many that too few were left, in a year that dice make up. */
  function lossesOfYear(parts: readonly Part[], random: () => number) {
    const repairYears = assumptions.repairHours / 8766;
    const failures = [...Array(nodeCount).keys()]
      .flatMap((node) => {
        const times: { node: number; at: number }[] = [];
        // The year before is there to have nodes down when it begins.
        for (let at = -repairYears; ;) {
          at += -Math.log(1 - random()) / assumptions.annualFailureRate;
          if (at >= 1) {
            return times;
          }
          times.push({ node, at });
          at += repairYears;
        }
      })
      .sort((a, b) => a.at - b.at);
    const blocks = throwBlocks(parts, nodeCount, random);
    const lost = { 'does-not-resume': false, heals: false };
    for (const { at: now } of failures.filter(({ at }) => at >= 0)) {
      const down = new Set(
        failures.filter(({ at }) => at <= now && now < at + repairYears).map(({ node }) => node),
      );
      for (const { ifLost, nodes, needed } of blocks) {
        if (nodes.filter((node) => !down.has(node)).length < needed) {
          lost[ifLost] = true;
        }
      }
    }
    return lost;
  }

  test.each([
    ['copies on two nodes', part(copies(2), 10, 'does-not-resume')],
    ['groups of three that need two', part(reedSolomon(2, 1), 3, 'does-not-resume')],
  ])('%s are lost as often as dice say', (_, needed) => {
    const parts = [needed, part(copies(1), 1, 'heals')];
    const { perYear } = riskOf(parts, assumptions);
    const random = randomFrom(11);
    let fatalCount = 0;
    let healedCount = 0;
    for (let year = 0; year < yearCount; year++) {
      const lost = lossesOfYear(parts, random);
      if (lost['does-not-resume']) {
        fatalCount++;
      } else if (lost.heals) {
        healedCount++;
      }
    }
    // The formula leaves out that a node that is down does not fail; here that is less than a fiftieth.
    expect(perYear.doesNotResume).toBeGreaterThan(0.04);
    expect(fatalCount / yearCount / perYear.doesNotResume).toBeCloseTo(1, 1);
    expect(Math.abs(fatalCount / yearCount - perYear.doesNotResume)).toBeLessThan(0.006);
    expect(Math.abs(healedCount / yearCount - perYear.heals)).toBeLessThan(0.015);
  });

  test('what is kept once goes with the first node of those that hold it', () => {
    const { perYear } = riskOf([part(copies(1), 1, 'heals')], cluster(100));
    expect(perYear.heals).toBeCloseTo(1 - Math.exp(-0.05), 12);
    expect(perYear.doesNotResume).toBe(0);
    // So many blocks that every node holds one.
    const everywhere = riskOf([part(copies(1), 1e6, 'heals')], cluster(100));
    expect(everywhere.perYear.heals).toBeCloseTo(1 - Math.exp(-0.05 * 100), 12);
  });
});

describe('with a placement', () => {
  const holderCount = 6;
  const anyBlock: fc.Arbitrary<PlacedBlock> = fc.record({
    // A node may be there twice, and a block may have lost too much already.
    unitNodes: fc.array(fc.integer({ min: 0, max: holderCount - 1 }), { maxLength: 5 }),
    neededUnitCount: fc.integer({ min: 1, max: 3 }),
    ifLost: fc.constantFrom('does-not-resume', 'heals'),
  });
  const anyPlacement: fc.Arbitrary<Placement> = fc.record({
    nodes: fc.constant([...Array(holderCount).keys()].map(String)),
    blocks: fc.array(anyBlock, { maxLength: 8 }),
  });

  test('every choice of all nodes counts, those that hold nothing among them', () => {
    fc.assert(
      fc.property(anyPlacement, fc.integer({ min: 1, max: 9 }), (placement, assumedCount) => {
        const nodeCount = Math.max(assumedCount, holderCount);
        const { nodeLosses } = riskOf([], cluster(assumedCount), placement);
        expect(nodeLosses.map((loss) => loss.nodeCount)).toEqual([1, 2, 3]);
        for (const { nodeCount: goneCount, ...loss } of nodeLosses) {
          const all = choices(nodeCount, goneCount);
          const lostBy = all.map((gone) =>
            placement.blocks.filter(
              ({ unitNodes, neededUnitCount }) =>
                unitNodes.filter((node) => (gone & (1 << node)) === 0).length < neededUnitCount,
            ),
          );
          const fatal = lostBy.filter((lost) =>
            lost.some(({ ifLost }) => ifLost === 'does-not-resume'),
          );
          const healed = lostBy.filter(
            (lost) => lost.length > 0 && lost.every(({ ifLost }) => ifLost === 'heals'),
          );
          expect(loss.basis).toBe('placement');
          expect(loss.doesNotResume).toBeCloseTo(fatal.length / all.length, 12);
          expect(loss.heals).toBeCloseTo(healed.length / all.length, 12);
        }
      }),
    );
  });

  function spread(nodeCount: number, blockCount: number): Placement {
    const random = randomFrom(3);
    return {
      nodes: [...Array(nodeCount).keys()].map(String),
      blocks: throwBlocks([part(copies(3), blockCount, 'does-not-resume')], nodeCount, random).map(
        ({ nodes, ifLost }) => ({ unitNodes: nodes, neededUnitCount: 1, ifLost }),
      ),
    };
  }

  test('a hundred nodes with a thousand blocks are still tried, and agree with what is computed', () => {
    const parts = [part(copies(3), 1000, 'does-not-resume')];
    const placed = riskOf(parts, cluster(100), spread(100, 1000));
    const computed = riskOf(parts, cluster(100));
    expect(placed.nodeLosses[2].basis).toBe('placement');
    const ratio = placed.nodeLosses[2].doesNotResume / computed.nodeLosses[2].doesNotResume;
    expect(Math.abs(ratio - 1)).toBeLessThan(0.01);
    expect(placed.perYear).toEqual(computed.perYear);
  });

  test('too many choices are computed instead, and said to be', () => {
    const parts = [part(copies(3), 2000, 'does-not-resume')];
    const { nodeLosses } = riskOf(parts, cluster(2000), spread(2000, 2000));
    expect(nodeLosses).toEqual(riskOf(parts, cluster(2000)).nodeLosses);
    expect(nodeLosses[0].basis).toBe('computed');
  });
});

interface ThrownBlock {
  readonly ifLost: Part['ifLost'];
  readonly nodes: readonly number[];
  readonly needed: number;
}

/** Each unit of a block on another node, evenly and whatever other blocks do. */
function throwBlocks(
  parts: readonly Part[],
  nodeCount: number,
  random: () => number,
): readonly ThrownBlock[] {
  return parts.flatMap(({ redundancy, blockCount, ifLost }) => {
    const { units, needed } = shapeOf(redundancy);
    return Array.from({ length: blockCount }, () => {
      const nodes = new Set<number>();
      while (nodes.size < units) {
        nodes.add(Math.floor(random() * nodeCount));
      }
      return { ifLost, nodes: [...nodes], needed };
    });
  });
}

function expectProbability(value: number): void {
  expect(value).toBeGreaterThanOrEqual(0);
  expect(value).toBeLessThanOrEqual(1 + 1e-12);
}

/** Five standard deviations, which a right formula passes all but once in a million; the dice are the same each time. */
function expectSeldomOtherwise(count: number, throwCount: number, probability: number): void {
  const deviation = Math.sqrt(throwCount * probability * (1 - probability));
  expect(Math.abs(count - throwCount * probability)).toBeLessThanOrEqual(5 * deviation);
}
