// A client of QEMU's machine protocol: JSON lines over a unix socket. (QEMU docs/interop/qmp-spec.rst)
//
// QEMU answers in the order it was asked, and events stand in the same stream: what came before what is told by the order
// of the lines, so a command's answer carries its place among the events.
import { connect, type Socket } from 'node:net';
import { ParsError } from '../../../introspect/pars-error.js';
import { expectOwnSocket } from '../../host/socket-peer.js';
import { QmpCommandError } from './qmp-command-error.js';

/** A monitor serves one client; others connect and are not greeted. */
const greetingTimeoutMs = 10_000;
const commandTimeoutMs = 60_000;
/** The longest answer asked for, a block graph, has some ten kilobytes. */
const lineLimit = 2 ** 24;
const socketUse = {
  what: 'the QMP socket',
  remedy: "run pars as QEMU's user, and keep the socket in a folder that nobody else may write to",
};

export interface QmpCommand {
  readonly execute: string;
  readonly arguments?: Readonly<Record<string, unknown>>;
}

export interface QmpEvent {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** By the host's clock, in microseconds since 1970. */
  readonly atMicroseconds: number;
  /** Among all lines of this connection. */
  readonly line: number;
}

export interface QmpAnswer {
  readonly value: unknown;
  readonly line: number;
}

interface Pending {
  readonly command: string;
  readonly settle: (answer: QmpAnswer) => void;
  readonly fail: (error: Error) => void;
}

interface QmpMessage {
  readonly QMP?: unknown;
  readonly event?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly timestamp?: { readonly seconds: number; readonly microseconds: number };
  readonly id?: unknown;
  readonly return?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
}

export class QmpClient {
  readonly path: string;
  readonly #socket: Socket;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Set<(event: QmpEvent) => void>();
  readonly #onLost = new Set<(error: ParsError) => void>();
  #rest = '';
  #line = 0;
  #number = 0;
  #greet: (() => void) | undefined;
  #lost: ParsError | undefined;

  private constructor(path: string, socket: Socket) {
    this.path = path;
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      this.#take(text);
    });
    socket.on('error', (error) => {
      this.#lose(error.message);
    });
    socket.on('close', () => {
      this.#lose('QEMU closed it');
    });
  }

  /**
   * Throws `unavailable` or `permission-denied` when nobody answers as QEMU does, and `permission-denied` where another user
   * may be who answers.
   */
  static async connect(path: string): Promise<QmpClient> {
    expectOwnSocket(path, socketUse);
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', (error: NodeJS.ErrnoException) => {
        reject(notReached(path, error));
      });
    });
    const client = new QmpClient(path, socket);
    try {
      await withTimeout(
        new Promise<void>((resolve, reject) => {
          client.#greet = resolve;
          client.#onLost.add(reject);
        }),
        greetingTimeoutMs,
        () =>
          new ParsError(
            'unavailable',
            `${path} does not greet as QEMU's QMP does within ${greetingTimeoutMs / 1000} s: a monitor serves one client at ` +
              'a time, and another may hold it; give the VM a second one (-qmp unix:PATH,server=on,wait=off)',
          ),
      );
      await client.execute('qmp_capabilities');
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  async execute(
    command: string,
    commandArguments: Readonly<Record<string, unknown>> = {},
  ): Promise<unknown> {
    const [answer] = this.send([{ execute: command, arguments: commandArguments }]);
    return (await answer).value;
  }

  /**
   * Sends several commands at once, so that nothing of this process lies between them. An answer fails with
   * `QmpCommandError` when QEMU refuses the command, with `unavailable` when the connection is lost.
   */
  send(commands: readonly QmpCommand[]): readonly Promise<QmpAnswer>[] {
    if (this.#lost !== undefined) {
      const lost = this.#lost;
      return commands.map(() => Promise.reject(lost));
    }
    const numbered = commands.map((command) => ({ ...command, id: ++this.#number }));
    const answers = numbered.map(({ execute, id }) => {
      const answer = new Promise<QmpAnswer>((settle, fail) => {
        this.#pending.set(id, { command: execute, settle, fail });
      });
      return withTimeout(answer, commandTimeoutMs, () => {
        // Its main loop hangs: whatever else is asked would not be answered either.
        const lost = this.#lose(`it did not answer ${execute} within ${commandTimeoutMs / 1000} s`);
        this.#socket.destroy();
        return lost;
      });
    });
    for (const answer of answers) {
      // Whoever waits for another one first must not make this one count as unhandled.
      answer.catch(() => undefined);
    }
    this.#socket.write(numbered.map((command) => `${JSON.stringify(command)}\n`).join(''));
    return answers;
  }

  /** Returns what ends the listening. */
  onEvent(listener: (event: QmpEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Called once, also when the connection is lost already, but not after `close`. */
  onLost(listener: (error: ParsError) => void): () => void {
    if (this.#lost !== undefined) {
      listener(this.#lost);
    } else {
      this.#onLost.add(listener);
    }
    return () => {
      this.#onLost.delete(listener);
    };
  }

  close(): void {
    this.#onLost.clear();
    this.#socket.destroy();
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > lineLimit) {
      this.#lose(`a line has more than ${lineLimit} bytes`);
      this.#socket.destroy();
      return;
    }
    for (const line of lines) {
      this.#message(line);
    }
  }

  #message(text: string): void {
    let message: QmpMessage;
    try {
      message = JSON.parse(text) as QmpMessage;
    } catch {
      this.#lose(`it says ${JSON.stringify(text.slice(0, 60))}, which is no QMP`);
      this.#socket.destroy();
      return;
    }
    const line = this.#line++;
    if (message.QMP !== undefined) {
      this.#greet?.();
      return;
    }
    if (message.event !== undefined) {
      const { event: name, data = {}, timestamp } = message;
      const atMicroseconds =
        timestamp === undefined
          ? Date.now() * 1000
          : timestamp.seconds * 1e6 + timestamp.microseconds;
      for (const listener of [...this.#listeners]) {
        listener({ name, data, atMicroseconds, line });
      }
      return;
    }
    const id = typeof message.id === 'number' ? message.id : -1;
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (message.error === undefined) {
      pending?.settle({ value: message.return, line });
    } else {
      pending?.fail(new QmpCommandError(pending.command, message.error.class, message.error.desc));
    }
  }

  #lose(reason: string): ParsError {
    if (this.#lost !== undefined) {
      return this.#lost;
    }
    const lost = new ParsError(
      'unavailable',
      `the connection to QEMU at ${this.path} was lost: ${reason}`,
    );
    this.#lost = lost;
    for (const { fail } of this.#pending.values()) {
      fail(lost);
    }
    this.#pending.clear();
    for (const listener of [...this.#onLost]) {
      listener(lost);
    }
    this.#onLost.clear();
    return lost;
  }
}

function notReached(path: string, error: NodeJS.ErrnoException): ParsError {
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such socket; was the VM started with -qmp unix:PATH,server=on,wait=off?',
    ECONNREFUSED: 'nobody listens there; the VM may have ended',
    EACCES: 'this user may not connect to it',
  };
  return new ParsError(
    error.code === 'EACCES' ? 'permission-denied' : 'unavailable',
    `QEMU cannot be reached at ${path}: ${reasons[error.code ?? ''] ?? error.message}`,
    { cause: error },
  );
}

async function withTimeout<T>(work: Promise<T>, timeoutMs: number, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(late());
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
