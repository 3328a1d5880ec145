// A small QMP client for the tests: JSON lines over a unix socket, one command
// at a time. On purpose not the client under src/vm, which is under test itself.

import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { withDeadline } from './deadline.js';
import { connectWhenThere } from './socket.js';

const CONNECT_TIMEOUT_MS = 10_000;
const COMMAND_TIMEOUT_MS = 30_000;
const MIGRATION_TIMEOUT_MS = 120_000;
const POLL_INTERVAL_MS = 20;

interface QmpMessage {
  readonly QMP?: unknown;
  readonly event?: string;
  readonly return?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
}

export class Qmp {
  readonly #socket: Socket;
  #pending: ((message: QmpMessage) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    // Only QEMU dying breaks the connection, and QemuProcess reports that better.
    socket.on('error', () => undefined);
    const lines = createInterface({ input: socket });
    // It passes on the errors of what it reads from.
    lines.on('error', () => undefined);
    lines.on('line', (line) => {
      const message = JSON.parse(line) as QmpMessage;
      if (message.event !== undefined) {
        return;
      }
      this.#pending?.(message);
      this.#pending = undefined;
    });
  }

  static async connect(path: string): Promise<Qmp> {
    const socket = await connectWhenThere(path, CONNECT_TIMEOUT_MS);
    const qmp = new Qmp(socket);
    // QEMU speaks first.
    await qmp.#reply('greeting');
    await qmp.execute('qmp_capabilities');
    return qmp;
  }

  async execute(command: string, commandArguments: object = {}): Promise<unknown> {
    if (this.#pending !== undefined) {
      throw new Error(`QMP is busy: wait for the running command before ${command}`);
    }
    const reply = this.#reply(command);
    this.#socket.write(JSON.stringify({ execute: command, arguments: commandArguments }) + '\n');
    const message = await reply;
    if (message.error !== undefined) {
      throw new Error(`QMP ${command} failed: ${message.error.class}: ${message.error.desc}`);
    }
    return message.return;
  }

  /** For a migration already begun, in either direction. */
  async migrationCompleted(): Promise<void> {
    const deadlineMs = Date.now() + MIGRATION_TIMEOUT_MS;
    for (;;) {
      const info = (await this.execute('query-migrate')) as {
        readonly status?: string;
        readonly 'error-desc'?: string;
      };
      if (info.status === 'completed') {
        return;
      }
      if (info.status === 'failed' || info.status === 'cancelled') {
        throw new Error(`migration ${info.status}: ${info['error-desc'] ?? 'QEMU gave no reason'}`);
      }
      if (Date.now() > deadlineMs) {
        throw new Error(
          `migration not completed after ${MIGRATION_TIMEOUT_MS} ms, status ${info.status ?? 'none'}`,
        );
      }
      await sleep(POLL_INTERVAL_MS);
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #reply(command: string): Promise<QmpMessage> {
    const reply = new Promise<QmpMessage>((resolve) => {
      this.#pending = resolve;
    });
    return withDeadline(reply, COMMAND_TIMEOUT_MS, () => `QMP reply to ${command}`);
  }
}
