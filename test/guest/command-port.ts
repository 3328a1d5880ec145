// The host's end of the guest's second serial port: sends one shell command at a
// time and waits for its reply. init.sh is the other end and says how they talk.

import type { Socket } from 'node:net';
import { withDeadline } from './deadline.js';

/** What a guest that did not start in time was in the middle of. */
export const NOT_READY = 'waiting for the guest to be ready';

interface PendingCommand {
  readonly number: number;
  readonly resolve: (reply: string) => void;
}

export class CommandPort {
  readonly #socket: Socket;
  #received = '';
  #number = 0;
  #pending: PendingCommand | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      this.#received += text;
      this.#settle();
    });
    // Only QEMU dying breaks the connection, and QemuProcess reports that better.
    socket.on('error', () => undefined);
  }

  /** A booting guest reports ready with reply 0; a resumed one has done so long ago. */
  async ready(timeoutMs: number): Promise<void> {
    const reply = await withDeadline(this.#reply(0), timeoutMs, () => NOT_READY);
    if (!reply.endsWith(' 0')) {
      throw new Error('the guest could not do its whole workload');
    }
  }

  /** The command's output, trimmed. Rejects when its exit status is not 0. */
  async command(line: string, timeoutMs: number): Promise<string> {
    if (this.#pending !== undefined) {
      throw new Error(`the guest is busy: wait for the running command before: ${line}`);
    }
    const number = ++this.#number;
    const reply = this.#reply(number);
    this.#socket.write(`${number} ${line}\n`);
    const text = await withDeadline(
      reply,
      timeoutMs,
      () =>
        `reply of the guest to: ${line} (so far: ${JSON.stringify(this.#received.slice(-200))})`,
    );
    const end = text.lastIndexOf(' ');
    const status = text.slice(end + 1);
    const output = text.slice(0, end).trim();
    if (status !== '0') {
      throw new Error(`guest command failed with exit status ${status}: ${line}\n${output}`);
    }
    return output;
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Resolves with `<output> <exit status>`. */
  #reply(number: number): Promise<string> {
    return new Promise((resolve) => {
      this.#pending = { number, resolve };
      this.#settle();
    });
  }

  #settle(): void {
    const pending = this.#pending;
    if (pending === undefined) {
      return;
    }
    const match = new RegExp(`\\n@@${pending.number} (\\d+)\\n`).exec(this.#received);
    if (match === null) {
      return;
    }
    const output = this.#received.slice(0, match.index);
    this.#received = this.#received.slice(match.index + match[0].length);
    this.#pending = undefined;
    pending.resolve(`${output} ${match[1]}`);
  }
}
