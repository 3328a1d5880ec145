// A server on this machine that says what a test wants, for what real daemons do too rarely or never.

import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';

export interface FakePeer {
  readonly hostPort: string;
  readonly port: number;
  /** Connections taken so far. */
  readonly count: () => number;
  readonly close: () => Promise<void>;
}

/** `talk` is called with each connection and its number, from 0. */
export async function startFakePeer(
  talk: (socket: Socket, index: number) => void,
): Promise<FakePeer> {
  const sockets = new Set<Socket>();
  let count = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    talk(socket, count++);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    hostPort: `127.0.0.1:${port}`,
    port,
    count: () => count,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) {
          socket.destroy();
        }
        server.close(() => {
          resolve();
        });
      }),
  };
}

/** Calls `take` with all bytes that have come and were not taken; it returns how many it takes, 0 to wait for more. */
export function onBytes(socket: Socket, take: (bytes: Buffer) => number): void {
  let bytes: Buffer = Buffer.alloc(0);
  socket.on('data', (piece) => {
    bytes = Buffer.concat([bytes, piece]);
    for (let taken = take(bytes); taken > 0; taken = take(bytes)) {
      bytes = bytes.subarray(taken);
    }
  });
}

/** The size of the length before a message, and that length; undefined where it is not whole. */
export function lengthBefore(
  bytes: Buffer,
  at: number,
): { readonly startBytes: number; readonly endBytes: number } | undefined {
  let value = 0;
  for (let count = 0; at + count < bytes.length; count++) {
    const byte = bytes[at + count];
    value += (byte & 0x7f) * 2 ** (7 * count);
    if (byte < 0x80) {
      const startBytes = at + count + 1;
      const endBytes = startBytes + value;
      return endBytes <= bytes.length ? { startBytes, endBytes } : undefined;
    }
  }
  return undefined;
}
