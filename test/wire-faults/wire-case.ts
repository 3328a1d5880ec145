// A case of the matrix: what breaks, at which point of which conversation, at which node. All cases follow from a seed.

import { packetDataBytes } from '../../src/store/hdfs/transfer/packet.js';
import { randomFrom } from '../e2e/random-numbers.js';

/** In the order in which they come. Of a read they are those of one of its requests. */
export const writePoints = [
  'connect',
  'header',
  'setup',
  'first packet',
  'middle packet',
  'last packet',
  'first ack',
  'middle ack',
  'last ack',
  'complete',
  'completed',
] as const;
export const readPoints = [
  'connect',
  'header',
  'setup',
  'first packet',
  'middle packet',
  'last packet',
] as const;
export type Point = (typeof writePoints)[number] | (typeof readPoints)[number];

/** What is done to a node, or to one connection with it. */
export const actions = {
  'node mute':
    'all connections with the node stay open, and nothing passes any more, then or later',
  'connection mute': 'the same to one connection; others pass',
  'node cut': 'all connections with the node are broken, and new ones too',
  'connection cut': 'one connection is broken; others pass',
  'bit flipped': 'one bit of a packet arrives as the other',
  stopped: 'SIGSTOP of the DataNode, and SIGCONT when the case is over',
  killed: 'SIGKILL of the DataNode, which is started again when the case is over',
} as const;
export type Action = keyof typeof actions;

export interface WireCase {
  readonly number: number;
  readonly operation: 'write' | 'read';
  readonly point: Point;
  readonly action: Action;
  /** The place in the pipeline of the node that a write loses; of a read, how many of the nodes that come first fare so, less one. */
  readonly position: number;
  readonly copyCount: number;
  readonly sizeBytes: number;
  readonly nameTells: 'whole' | 'nothing';
  /** How much of the packet, or of what else is to pass, passes before. 0 to 1. */
  readonly fraction: number;
}

export function isOfProcess({ action }: Pick<WireCase, 'action'>): boolean {
  return action === 'stopped' || action === 'killed';
}

/** Which bytes the packets of a file are told apart by. */
export function packetCountOf(sizeBytes: number): number {
  return Math.ceil(sizeBytes / packetDataBytes);
}

interface Kind {
  readonly operation: 'write' | 'read';
  readonly point: Point;
  readonly action: Action;
  readonly position: number;
  readonly copyCount: number;
}

function kindsOf(list: readonly Action[]): readonly Kind[] {
  const written = [1, 2, 3].flatMap((copyCount) =>
    Array.from({ length: copyCount }, (_, position) => position).flatMap((position) =>
      writePoints.flatMap((point) =>
        list.map((action): Kind => ({ operation: 'write', point, action, position, copyCount })),
      ),
    ),
  );
  const read = [0, 1].flatMap((position) =>
    readPoints.flatMap((point) =>
      list.map((action): Kind => ({ operation: 'read', point, action, position, copyCount: 3 })),
    ),
  );
  return [...written, ...read].filter(isPossible);
}

function isPossible({ operation, point, action, position, copyCount }: Kind): boolean {
  if (action === 'bit flipped') {
    return point === 'first packet' || point === 'middle packet';
  }
  if (point === 'complete' || point === 'completed') {
    // The NameNode's connection, whatever the pipeline.
    return action.startsWith('connection') && position === 0;
  }
  // With processes the shorter pipelines tell nothing more.
  return !isOfProcess({ action }) || operation === 'read' || copyCount === 3;
}

const wireActions = [
  'node mute',
  'connection mute',
  'node cut',
  'connection cut',
  'bit flipped',
] as const;

/** `wireCount` cases by proxies, over all kinds as evenly as can be, and each kind with a process once for each of `processRounds`. */
export function casesOf(
  seed: number,
  wireCount: number,
  processRounds: number,
): readonly WireCase[] {
  const wire = kindsOf(wireActions);
  const processes = kindsOf(['stopped', 'killed']);
  const kinds = [
    ...Array.from({ length: wireCount }, (_, index) => wire[spread(index, wire.length)]),
    ...Array.from({ length: processRounds }, () => processes).flat(),
  ];
  return kinds.map((kind, number) => {
    const random = randomFrom(seed * 100_003 + number);
    return {
      number,
      ...kind,
      sizeBytes: Math.floor((2.2 + 2 * random()) * packetDataBytes),
      nameTells: random() < 0.5 ? 'whole' : 'nothing',
      fraction: random(),
    };
  });
}

/** Goes through all kinds in an order in which neighbours differ, so that the first cases are of many kinds. */
function spread(index: number, count: number): number {
  const step = 89;
  return ((index % count) * (count % step === 0 ? step + 8 : step)) % count;
}
