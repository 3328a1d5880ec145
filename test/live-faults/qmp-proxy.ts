// Stands between a QMP client and QEMU, and can be cut.
import { rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';

export class QmpProxy {
  readonly path: string;
  readonly #target: string;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  constructor(path: string, target: string) {
    this.path = path;
    this.#target = target;
  }

  async listen(): Promise<void> {
    const server = createServer((client) => {
      const qemu = connect(this.#target);
      for (const [from, to] of [
        [client, qemu],
        [qemu, client],
      ] as const) {
        this.#sockets.add(from);
        from.on('error', () => undefined);
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
        from.pipe(to);
      }
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.path, resolve);
    });
  }

  /** Breaks what is connected; new connections are served. */
  cut(): void {
    for (const socket of this.#sockets) {
      socket.destroy();
    }
  }

  /** Breaks what is connected, and there is no socket any more until `listen`. */
  unlink(): void {
    this.#server?.close();
    this.#server = undefined;
    rmSync(this.path, { force: true });
    this.cut();
  }
}
