// Where and when a case strikes: at the first moment of its point, at the node that has its position.

import type { Moment, Verdict } from './node-proxy.js';
import { packetCountOf, type WireCase } from './wire-case.js';

/** DataNodes send 64 KiB and a little less at a time; a request of a case is of 1 MiB. */
const middleReadPacket = 8;

export interface StrikeOptions {
  readonly wireCase: WireCase;
  /** Stops or kills the DataNode behind the proxy of this port, and resolves when that is done. */
  readonly strikeProcess: (proxyPort: number) => Promise<void>;
}

export class Strike {
  readonly #options: StrikeOptions;
  /** Ports of the proxies of the nodes that are to be struck, once it is known which they are. */
  #victims: readonly number[] | undefined;
  readonly #struck = new Set<number>();
  #isNameNodeStruck = false;

  constructor(options: StrikeOptions) {
    this.#options = options;
  }

  /** How many nodes, or connections, were struck. */
  get count(): number {
    return this.#struck.size + (this.#isNameNodeStruck ? 1 : 0);
  }

  onNodes(method: string, ports: readonly number[]): void {
    const { operation, position } = this.#options.wireCase;
    if (method !== (operation === 'write' ? 'addBlock' : 'getBlockLocations')) {
      return;
    }
    this.#victims ??= operation === 'write' ? [ports[position]] : ports.slice(0, position + 1);
  }

  /** What becomes of a call to the NameNode, or of its answer. */
  nameNodeVerdict(method: string, which: 'call' | 'answer'): 'pass' | 'mute' | 'cut' {
    const { point, action } = this.#options.wireCase;
    const isPoint =
      method === 'complete' &&
      ((point === 'complete' && which === 'call') || (point === 'completed' && which === 'answer'));
    if (!isPoint || this.#isNameNodeStruck) {
      return 'pass';
    }
    this.#isNameNodeStruck = true;
    return action === 'connection mute' ? 'mute' : 'cut';
  }

  nodeVerdict(port: number, moment: Moment): Verdict {
    const { wireCase, strikeProcess } = this.#options;
    const { action, fraction } = wireCase;
    if (
      this.#victims?.includes(port) !== true ||
      this.#struck.has(port) ||
      !isPointOf(wireCase, moment)
    ) {
      return { kind: 'pass' };
    }
    this.#struck.add(port);
    const passedBytes = Math.floor(fraction * moment.sizeBytes);
    switch (action) {
      case 'bit flipped':
        return { kind: 'flip' };
      case 'stopped':
      case 'killed':
        return { kind: 'wait', until: strikeProcess(port), passedBytes };
      case 'node mute':
      case 'node cut':
      case 'connection mute':
      case 'connection cut':
        return {
          kind: action.endsWith('mute') ? 'mute' : 'cut',
          whole: action.startsWith('node'),
          passedBytes,
        };
    }
  }
}

function isPointOf({ operation, point, sizeBytes }: WireCase, { said }: Moment): boolean {
  const packetCount = packetCountOf(sizeBytes);
  const middle = operation === 'write' ? packetCount >> 1 : middleReadPacket;
  switch (point) {
    case 'connect':
      return said.kind === 'connect';
    case 'header':
      return said.kind === 'operation';
    case 'setup':
      return said.kind === 'answer';
    case 'first packet':
      return said.kind === 'packet' && said.sequence === 0;
    case 'middle packet':
      return said.kind === 'packet' && said.sequence === middle;
    case 'last packet':
      return said.kind === 'packet' && said.isLast;
    case 'first ack':
      return said.kind === 'ack' && said.sequence === 0;
    case 'middle ack':
      return said.kind === 'ack' && said.sequence === middle;
    case 'last ack':
      return said.kind === 'ack' && said.sequence === packetCount;
    case 'complete':
    case 'completed':
      return false;
  }
}
