// Free TCP ports for daemons that must know their port before they start, and keep it over a restart.
//
// They are drawn from below Linux's ephemeral range: a port the kernel hands out for outgoing connections could be
// taken again before the daemon listens, and a cluster makes hundreds of connections while it starts.

import { createServer } from 'node:net';

const lowestPort = 20_000;
const portCount = 12_000;

export async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = lowestPort + Math.floor(Math.random() * portCount);
    if (!ports.has(port) && (await isFree(port))) {
      ports.add(port);
    }
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, '127.0.0.1', () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
