// Connects to a unix socket that a program just started is about to open.
// QEMU creates its sockets a few milliseconds after its start.

import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const RETRY_INTERVAL_MS = 20;

export async function connectWhenThere(path: string, timeoutMs: number): Promise<Socket> {
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await connectOnce(path);
    } catch (error) {
      if (Date.now() > deadlineMs) {
        throw new Error(`expected a listener on ${path} within ${timeoutMs} ms`, { cause: error });
      }
      await sleep(RETRY_INTERVAL_MS);
    }
  }
}

function connectOnce(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
