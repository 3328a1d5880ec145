// Where the blocks of a stored snapshot really are, and what is lost with each choice of nodes. Pure: src/measure reads
// the places from the store.
import { logBinomial } from './binomials.js';
import type { Part } from './report.js';

export interface Placement {
  /** The nodes that hold anything, by the store's name for them. */
  readonly nodes: readonly string[];
  readonly blocks: readonly PlacedBlock[];
}

/** A block, or a group of blocks where coded. */
export interface PlacedBlock {
  /** For each live unit the node that has it, by its place in the list of nodes; a node may have several. */
  readonly unitNodes: readonly number[];
  /** 1 of copies; the units of data where coded. */
  readonly neededUnitCount: number;
  readonly ifLost: Part['ifLost'];
}

export type Outcome = 'nothing-lost' | Part['ifLost'];

/** Units looked at before it would take longer than a second. Copies of 20,000 blocks on 100 nodes stay below it. */
const maxStepCount = 2e8;

/** Whether all choices of up to `largest` nodes can be tried. */
export function canTryChoices({ nodes, blocks }: Placement, largest: number): boolean {
  const unitCount = blocks.reduce((sum, { unitNodes }) => sum + unitNodes.length, 0);
  let choiceCount = 0;
  for (let size = 1; size <= largest; size++) {
    choiceCount += Math.exp(logBinomial(nodes.length, size));
  }
  return choiceCount * (1 + unitCount / Math.max(1, nodes.length)) <= maxStepCount;
}

/**
 * Tries every choice of up to `largest` of the nodes, none at all first. `gone` is the same array each time, ascending:
 * to be copied if it is to be kept.
 */
export function tryChoices(
  { nodes, blocks }: Placement,
  largest: number,
  onChoice: (gone: readonly number[], outcome: Outcome) => void,
): void {
  const blocksOf = blocksByNode(nodes.length, blocks);
  const isFatal = Uint8Array.from(blocks, ({ ifLost }) => (ifLost === 'does-not-resume' ? 1 : 0));
  /** How many more units of a block may go; below 0 it is lost. */
  const spareCount = Int32Array.from(
    blocks,
    ({ unitNodes, neededUnitCount }) => unitNodes.length - neededUnitCount,
  );
  /** Blocks that are lost: those that heal, and the others. */
  const lostCount = new Int32Array(2);
  spareCount.forEach((spare, block) => {
    if (spare < 0) {
      lostCount[isFatal[block]]++;
    }
  });

  const gone: number[] = [];
  const visit = (from: number): void => {
    onChoice(
      gone,
      lostCount[1] > 0 ? 'does-not-resume' : lostCount[0] > 0 ? 'heals' : 'nothing-lost',
    );
    if (gone.length === largest) {
      return;
    }
    for (let node = from; node < nodes.length; node++) {
      const held = blocksOf[node];
      for (const block of held) {
        if (spareCount[block]-- === 0) {
          lostCount[isFatal[block]]++;
        }
      }
      gone.push(node);
      visit(node + 1);
      gone.pop();
      for (const block of held) {
        if (++spareCount[block] === 0) {
          lostCount[isFatal[block]]--;
        }
      }
    }
  };
  visit(0);
}

/** A block stands there once for each of its units. */
function blocksByNode(nodeCount: number, blocks: readonly PlacedBlock[]): readonly Uint32Array[] {
  const lists = Array.from({ length: nodeCount }, (): number[] => []);
  blocks.forEach(({ unitNodes }, block) => {
    for (const node of unitNodes) {
      lists[node].push(block);
    }
  });
  return lists.map((list) => Uint32Array.from(list));
}
