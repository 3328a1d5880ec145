// QEMU's block graph, as far as our own nodes in it go.
import { z } from 'zod';
import { askQmp } from '../../qmp/ask-qmp.js';
import type { QmpClient } from '../../qmp/qmp-client.js';
import { ownPrefix } from '../own-names.js';

const graphSchema = z.object({
  nodes: z.array(z.object({ id: z.int(), type: z.string(), name: z.string() })),
  edges: z.array(z.object({ name: z.string(), parent: z.int(), child: z.int() })),
});

const drivesSchema = z.array(
  z.object({
    qdev: z.string().optional(),
    inserted: z.object({ 'node-name': z.string().optional() }).optional(),
  }),
);

/** A device that has our filter in front of its own image. */
export interface FilteredDevice {
  readonly qomPath: string;
  /** What stood there before. */
  readonly nodeName: string;
}

export interface OwnNodes {
  readonly filtered: readonly FilteredDevice[];
  /** Users before what they use. */
  readonly names: readonly string[];
}

export async function findOwnNodes(qmp: QmpClient): Promise<OwnNodes> {
  const graph = await askQmp(qmp, 'x-debug-query-block-graph', graphSchema);
  const drives = await askQmp(qmp, 'query-block', drivesSchema);
  const nameOf = new Map(graph.nodes.map(({ id, name }) => [id, name]));
  const own = graph.nodes.filter(
    ({ name, type }) => type === 'block-driver' && name.startsWith(ownPrefix),
  );
  const filtered = drives.flatMap(({ qdev, inserted }): readonly FilteredDevice[] => {
    const root = own.find(({ name }) => name === inserted?.['node-name']);
    const below = graph.edges.find(({ parent, name }) => parent === root?.id && name === 'file');
    const nodeName = below === undefined ? undefined : nameOf.get(below.child);
    return qdev === undefined || nodeName === undefined
      ? []
      : [{ qomPath: qdev.replace(/\/virtio-backend$/, ''), nodeName }];
  });
  return { filtered, names: usersFirst(own, graph.edges) };
}

function usersFirst(
  nodes: readonly { readonly id: number; readonly name: string }[],
  edges: readonly { readonly parent: number; readonly child: number }[],
): readonly string[] {
  const left = new Map(nodes.map(({ id, name }) => [id, name]));
  const ordered: string[] = [];
  while (left.size > 0) {
    const free = [...left.keys()].filter(
      (id) => !edges.some(({ parent, child }) => child === id && left.has(parent)),
    );
    // A graph has no circles; were there one, QEMU would say so when asked to delete.
    for (const id of free.length > 0 ? free : [...left.keys()]) {
      ordered.push(left.get(id) ?? '');
      left.delete(id);
    }
  }
  return ordered;
}
