// What a store in memory keeps its copies on: five nodes, which a test takes away and brings back. A node that is away is what
// a DataNode that died is to HDFS: its copies are not alive, and they are again when it comes back.

import { ParsError } from '../../../introspect/pars-error.js';
import { placementOrder } from '../placement.js';
import { MemoryTree } from './tree.js';

const nodeNumbers: readonly number[] = [1, 2, 3, 4, 5];

export class MemoryCluster {
  readonly nodes: readonly string[] = nodeNumbers.map(nodeName);
  readonly tree = new MemoryTree();
  readonly #away = new Set<string>();

  /** Whether it had been away already does not matter; nor does it in `bringBack`. */
  takeAway(node: string): void {
    this.#expectNode(node);
    this.#away.add(node);
  }

  bringBack(node: string): void {
    this.#expectNode(node);
    this.#away.delete(node);
  }

  isAlive(nodeNumber: number): boolean {
    return !this.#away.has(nodeName(nodeNumber));
  }

  /** Numbers of the nodes that are there, the first choice for `name` first. */
  liveNodesFor(name: string): readonly number[] {
    return placementOrder(
      name,
      nodeNumbers.filter((nodeNumber) => this.isAlive(nodeNumber)),
    );
  }

  #expectNode(node: string): void {
    if (!this.nodes.includes(node)) {
      throw new ParsError('usage', `expected one of ${this.nodes.join(', ')}, found ${node}`);
    }
  }
}

export function nodeName(nodeNumber: number): string {
  return `node${nodeNumber}`;
}

const clusters = new Map<string, MemoryCluster>();

/** The cluster of memory:NAME, made when it is asked for first; there until the process ends. */
export function memoryCluster(name: string): MemoryCluster {
  const known = clusters.get(name) ?? new MemoryCluster();
  clusters.set(name, known);
  return known;
}
