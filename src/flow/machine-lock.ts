// One process at a time, on this machine: a lock is an abstract unix socket that somebody listens on. The kernel frees it
// when the last process that has it ends, however it ends, so there is no lock to clean up. A child can be given the lock
// too: then it stays taken while the child lives, even when the parent was killed.
//
// Abstract names are of the network namespace: processes in two containers do not see each other's locks. Whoever may run
// programs on the host can take a lock and keep work waiting, but get at nothing.
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { ParsError } from '../../introspect/pars-error.js';

export interface Lock {
  /** The descriptor that keeps it taken, for the `stdio` of a child that is to hold it too. */
  readonly fd: number;
  release(): Promise<void>;
}

/** Undefined when another process, or another part of this one, has it. `words`: what it is a lock of. */
export async function tryMachineLock(words: readonly string[]): Promise<Lock | undefined> {
  const hash = createHash('sha256').update(words.join('\0')).digest('hex');
  const server = createServer((socket) => socket.destroy());
  const taken = await new Promise<boolean>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') {
        resolve(false);
      } else {
        reject(
          new ParsError(
            'unavailable',
            `cannot take the lock ${words.slice(1).join(' ')}: ${error.message}`,
            { cause: error },
          ),
        );
      }
    });
    server.listen({ path: `\0pars-${hash.slice(0, 32)}` }, () => {
      resolve(true);
    });
  });
  if (!taken) {
    return undefined;
  }
  // A lock is no reason for a process to go on.
  server.unref();
  return {
    fd: descriptorOf(server),
    release: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  };
}

/** Node gives the number of a listening socket to nobody but its own child_process; its handle has it. */
function descriptorOf(server: Server): number {
  const fd = (server as unknown as { readonly _handle?: { readonly fd?: number } })._handle?.fd;
  if (fd === undefined || fd < 0) {
    throw new Error('expected a listening socket to have a descriptor');
  }
  return fd;
}
