// QEMU's gdb stub, as far as a test needs it: to stop a guest at the beginning of a function of its kernel.
// (GDB manual, appendix E: the remote serial protocol)
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { withDeadline } from './deadline.js';
import { connectWhenThere } from './socket.js';

const answerTimeoutMs = 10_000;

export class GdbStub {
  readonly #socket: Socket;
  readonly #packets: string[] = [];
  #received = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.#received += text;
      for (;;) {
        const packet = /\$([^#]*)#[0-9a-f]{2}/.exec(this.#received);
        if (packet === null) {
          return;
        }
        this.#received = this.#received.slice(packet.index + packet[0].length);
        this.#packets.push(packet[1]);
        socket.write('+');
        socket.emit('packet');
      }
    });
  }

  /** The guest stands still from here on. */
  static async connect(path: string): Promise<GdbStub> {
    return new GdbStub(await connectWhenThere(path, answerTimeoutMs));
  }

  /** Lets the guest go on until a CPU comes to the address; it stands still then. */
  async runTo(address: bigint, timeoutMs: number): Promise<void> {
    const at = `${address.toString(16)},1`;
    await this.#ask(`Z1,${at}`, 'OK', answerTimeoutMs);
    await this.#ask('c', 'T05', timeoutMs);
    await this.#ask(`z1,${at}`, 'OK', answerTimeoutMs);
  }

  /** The guest stays as it is. */
  close(): void {
    this.#socket.destroy();
  }

  async #ask(packet: string, expected: string, timeoutMs: number): Promise<void> {
    this.#send(packet);
    for (;;) {
      const answer = this.#packets.shift();
      if (answer === undefined) {
        await withDeadline(once(this.#socket, 'packet'), timeoutMs, () => `gdb stub, ${packet}`);
      } else if (answer.startsWith(expected)) {
        return;
      } else if (!answer.startsWith('T')) {
        throw new Error(
          `expected the gdb stub to answer ${packet} with ${expected}, found ${answer}`,
        );
      }
      // Else it says that the guest stands still, as it does since the connection.
    }
  }

  #send(packet: string): void {
    const sum = Buffer.from(packet, 'latin1').reduce((total, byte) => (total + byte) & 0xff, 0);
    this.#socket.write(`$${packet}#${sum.toString(16).padStart(2, '0')}`);
  }
}
