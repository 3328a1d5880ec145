// Where the files of a snapshot are, as the store itself tells: blocks, and the nodes that hold a live copy of each.

import { formatBytes, formatTable } from '../../src/cli/shared/format.js';
import type { Store } from '../../src/index.js';
import { bytesInFolder } from './bytes-in-folder.js';
import { DemoFailure } from './demo-failure.js';
import type { StoreNode } from './demo-store.js';

export interface PlacedFile {
  readonly name: string;
  /** Copies asked for. */
  readonly replication: number;
}

/** One row of the table: files that are treated alike. */
export interface FileGroup {
  readonly title: string;
  readonly files: readonly PlacedFile[];
}

interface GroupPlacement {
  readonly title: string;
  readonly fileCount: number;
  readonly blockCount: number;
  readonly copyCount: number;
  /** Live copies by node, in the order of the nodes. */
  readonly copyCounts: readonly number[];
}

/** The table of live copies by node. Throws when a block has fewer of them than were asked for. */
export async function placementTable(
  store: Store,
  nodes: readonly StoreNode[],
  groups: readonly FileGroup[],
): Promise<string> {
  const placements: GroupPlacement[] = [];
  for (const group of groups) {
    placements.push(await placeGroup(store, nodes, group));
  }
  return formatTable(
    ['', 'files', 'blocks', 'live copies', ...nodes.map(({ name }) => name)],
    [
      ...placements.map(({ title, fileCount, blockCount, copyCount, copyCounts }) =>
        [title, fileCount, blockCount, copyCount, ...copyCounts].map(String),
      ),
      ['bytes on it', '', '', '', ...nodes.map(({ folder }) => formatBytes(bytesInFolder(folder)))],
    ],
    ['left', 'right', 'right', 'right', ...nodes.map(() => 'right' as const)],
  ).join('\n');
}

async function placeGroup(
  store: Store,
  nodes: readonly StoreNode[],
  { title, files }: FileGroup,
): Promise<GroupPlacement> {
  const copyCounts = nodes.map(() => 0);
  let blockCount = 0;
  for (const { name, replication } of files) {
    for (const { offsetBytes, locations } of await store.blocks(name)) {
      if (new Set(locations).size < replication) {
        throw new DemoFailure(
          `expected ${replication} live copies of the block at ${offsetBytes} of ${name}, ` +
            `found ${locations.length}: ${locations.join(', ')}`,
        );
      }
      blockCount++;
      for (const location of locations) {
        copyCounts[nodeIndex(nodes, location)]++;
      }
    }
  }
  const copyCount = copyCounts.reduce((sum, count) => sum + count, 0);
  return { title, fileCount: files.length, blockCount, copyCount, copyCounts };
}

function nodeIndex(nodes: readonly StoreNode[], location: string): number {
  const index = nodes.findIndex((node) => node.location === location);
  if (index < 0) {
    const known = nodes.map((node) => node.location).join(', ');
    throw new DemoFailure(`the store names the location ${location}; expected one of ${known}`);
  }
  return index;
}
