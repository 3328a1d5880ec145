// A TCP proxy in front of one DataNode, for one case: it passes on what is said piece by piece, asks before each, and can fall silent
// or break.

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Answering, Asking, type Said, type Unit } from './transfer-parser.js';

/** What the case wants at this moment; `passedBytes` of it pass before. */
export type Verdict =
  | { readonly kind: 'pass' }
  | { readonly kind: 'flip' }
  | { readonly kind: 'mute' | 'cut'; readonly whole: boolean; readonly passedBytes: number }
  | { readonly kind: 'wait'; readonly until: Promise<void>; readonly passedBytes: number };

export interface Moment {
  /** `connect` before anything is said. */
  readonly said: Said | { readonly kind: 'connect' };
  /** Numbers connections with this node. */
  readonly connection: number;
  readonly sizeBytes: number;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  isMute: boolean;
}

export class NodeProxy {
  /** Where it listens, in the DataNode's place. */
  readonly port: number;
  readonly #server: Server;
  readonly #dataNodePort: number;
  readonly #judge: (moment: Moment) => Verdict;
  readonly #pairs = new Set<Pair>();
  #state: 'passing' | 'mute' | 'cut' = 'passing';
  #count = 0;

  private constructor(server: Server, dataNodePort: number, judge: (moment: Moment) => Verdict) {
    this.#server = server;
    this.#dataNodePort = dataNodePort;
    this.#judge = judge;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (client) => {
      this.#accept(client);
    });
  }

  static async start(dataNodePort: number, judge: (moment: Moment) => Verdict): Promise<NodeProxy> {
    const server = createServer({ pauseOnConnect: true });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new NodeProxy(server, dataNodePort, judge);
  }

  /** From now on nothing passes, on no connection. */
  fallSilent(): void {
    this.#state = 'mute';
    for (const pair of this.#pairs) {
      silence(pair);
    }
  }

  breakAll(): void {
    this.#state = 'cut';
    for (const pair of this.#pairs) {
      destroy(pair);
    }
  }

  async close(): Promise<void> {
    for (const pair of this.#pairs) {
      destroy(pair);
    }
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
  }

  #accept(client: Socket): void {
    const connection = this.#count++;
    client.on('error', () => undefined);
    if (this.#state === 'cut') {
      client.destroy();
      return;
    }
    const server = connect({ host: '127.0.0.1', port: this.#dataNodePort, noDelay: true });
    server.on('error', () => undefined);
    client.setNoDelay(true);
    const pair: Pair = { client, server, isMute: false };
    this.#pairs.add(pair);
    const answering = new Answering();
    const asking = new Asking((operation) => {
      answering.asked(operation);
    });
    this.#pump(pair, connection, client, server, asking);
    this.#pump(pair, connection, server, client, answering);
    for (const socket of [client, server]) {
      socket.once('close', () => {
        if (!pair.isMute) {
          destroy(pair);
          this.#pairs.delete(pair);
        }
      });
    }
    if (this.#state === 'mute') {
      silence(pair);
      return;
    }
    const verdict = this.#judge({ said: { kind: 'connect' }, connection, sizeBytes: 0 });
    void this.#carryOut(verdict, pair, client, { said: { kind: 'rest' }, bytes: Buffer.alloc(0) });
  }

  /** Passes on what `from` says, one whole after the other. */
  #pump(
    pair: Pair,
    connection: number,
    from: Socket,
    to: Socket,
    parser: Asking | Answering,
  ): void {
    const pump = async (): Promise<void> => {
      for await (const piece of from as AsyncIterable<Buffer>) {
        for (const unit of parser.push(piece)) {
          if (pair.isMute) {
            // What came before stays as it is, and neither side learns that nothing comes.
            await new Promise<never>(() => undefined);
          }
          const { said, bytes } = unit;
          const verdict = this.#judge({ said, connection, sizeBytes: bytes.length });
          await this.#carryOut(verdict, pair, to, unit);
        }
      }
      if (!pair.isMute) {
        to.end();
      }
    };
    pump().catch(() => {
      if (!pair.isMute) {
        destroy(pair);
      }
    });
  }

  async #carryOut(verdict: Verdict, pair: Pair, to: Socket, { said, bytes }: Unit): Promise<void> {
    if (verdict.kind === 'pass') {
      await write(to, bytes);
      return;
    }
    if (verdict.kind === 'flip') {
      const flipped = Buffer.from(bytes);
      // Of the data, which stands last.
      flipped[flipped.length - 1 - (said.kind === 'packet' ? said.dataBytes >> 1 : 0)] ^= 4;
      await write(to, flipped);
      return;
    }
    await write(to, bytes.subarray(0, verdict.passedBytes));
    if (verdict.kind === 'wait') {
      await verdict.until;
      await write(to, bytes.subarray(verdict.passedBytes));
      return;
    }
    if (verdict.kind === 'mute') {
      if (verdict.whole) {
        this.fallSilent();
      } else {
        silence(pair);
      }
      return;
    }
    if (verdict.whole) {
      this.breakAll();
    } else {
      destroy(pair);
    }
  }
}

function silence(pair: Pair): void {
  pair.isMute = true;
  pair.client.pause();
  pair.server.pause();
}

function destroy({ client, server }: Pair): void {
  client.destroy();
  server.destroy();
}

/** Resolves when there is room for more, or nobody to write to. */
async function write(to: Socket, bytes: Buffer): Promise<void> {
  if (bytes.length === 0 || to.destroyed || to.write(bytes)) {
    return;
  }
  await new Promise<void>((resolve) => {
    to.once('drain', resolve);
    to.once('close', resolve);
  });
}
