// Connections to DataNodes that a finished read has left open: a DataNode waits for another question for a while.

import { ParsError } from '../../../../introspect/pars-error.js';
import { peerFailure } from '../net/peer-error.js';
import type { PeerStream } from '../net/peer-stream.js';
import type { DatanodeInfo } from '../proto/hdfs.js';
import type { Token } from '../proto/security.js';
import { type Connector, nameOf } from './data-nodes.js';

/** Less than dfs.datanode.socket.reuse.keepalive, 4 s. */
const keptMs = 3_000;
const keptCountOfNode = 4;
/** Each connection has as much; larger ones cost fewer turns, and are no faster from 1 MiB on. */
const bufferSizeBytes = 512 * 1024;

interface Kept {
  readonly stream: PeerStream;
  readonly untilMs: number;
}

export class StreamPool {
  readonly #connector: Connector;
  readonly #kept = new Map<string, Kept[]>();

  constructor(connector: Connector) {
    this.#connector = connector;
  }

  /**
   * Gives `use` a connection to the node: one that is open, if that does not prove to be closed by now, or a new one. `token` is
   * the block's.
   */
  async use(
    node: DatanodeInfo,
    token: Token,
    doing: string,
    signal: AbortSignal | undefined,
    use: (stream: PeerStream) => Promise<void>,
  ): Promise<void> {
    const open = this.#take(nameOf(node));
    if (open !== undefined) {
      open.use(doing, signal);
      try {
        await this.#useAndKeep(open, use);
        return;
      } catch (error) {
        const isOld = error instanceof ParsError && peerFailure(error) === 'broken';
        if (!isOld) {
          throw error;
        }
      }
    }
    const stream = await this.#connector.connect(node, token, { doing, bufferSizeBytes, signal });
    await this.#useAndKeep(stream, use);
  }

  close(): void {
    for (const { stream } of [...this.#kept.values()].flat()) {
      stream.destroy();
    }
    this.#kept.clear();
  }

  async #useAndKeep(stream: PeerStream, use: (stream: PeerStream) => Promise<void>): Promise<void> {
    try {
      await use(stream);
    } catch (error) {
      stream.destroy();
      throw error;
    }
    stream.rest();
    const kept = this.#kept.get(stream.hostPort) ?? [];
    this.#kept.set(stream.hostPort, kept);
    kept.push({ stream, untilMs: performance.now() + keptMs });
    if (kept.length > keptCountOfNode) {
      kept.shift()?.stream.destroy();
    }
  }

  #take(hostPort: string): PeerStream | undefined {
    const kept = this.#kept.get(hostPort) ?? [];
    for (let found = kept.pop(); found !== undefined; found = kept.pop()) {
      if (found.stream.isUsable && performance.now() < found.untilMs) {
        return found.stream;
      }
      found.stream.destroy();
    }
    return undefined;
  }
}
