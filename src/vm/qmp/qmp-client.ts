// A client of QEMU's machine protocol: JSON lines over a unix socket. (QEMU docs/interop/qmp-spec.rst)
//
// A monitor made by -qmp-pretty spreads a message over lines: the first is a brace alone, and so is the last.
//
// QEMU answers in the order it was asked, and events stand in the same stream: what came before what is told by the order
// of the lines, so a command's answer carries its place among the events.
import { connect, type Socket } from 'node:net';
import { ParsError } from '../../../introspect/pars-error.js';
import { expectOwnSocket } from '../../host/socket-peer.js';
import { QmpCommandError } from './qmp-command-error.js';
import { maxLineLength, parseQmpMessage, type QmpEventMessage } from './qmp-message.js';

/** A monitor serves one client; others connect and are not greeted. */
const greetingTimeoutMs = 10_000;
const commandTimeoutMs = 60_000;
const socketUse = {
  what: 'the QMP socket',
  remedy: "run pars as QEMU's user, and keep the socket in a folder that nobody else may write to",
};
/**
 * Without an answer to anything that was asked. QEMU limits the rate of its events, and something is asked all the time; who
 * only talks is not QEMU.
 */
const unansweredLimit = 2 ** 24;

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

export class QmpClient {
  readonly path: string;
  readonly #socket: Socket;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Set<(event: QmpEvent) => void>();
  readonly #onLost = new Set<(error: ParsError) => void>();
  /** The pieces of a line whose end has not come yet. */
  #pieces: string[] = [];
  #piecesLength = 0;
  /** The lines that have come of a message over several. */
  #lines: string[] = [];
  /** Since the last answer. */
  #unansweredLength = 0;
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
    this.#unansweredLength += text.length;
    const [end, ...lines] = text.split('\n');
    this.#gather(end);
    for (const line of lines) {
      // Nothing counts any more that is said after a line that is no QMP.
      if (this.#lost !== undefined) {
        return;
      }
      this.#endLine();
      this.#gather(line);
    }
    if (this.#unansweredLength > unansweredLimit) {
      this.#refuse(`it says more than ${unansweredLimit} characters without an answer`);
    }
  }

  #endLine(): void {
    const line = this.#pieces.join('');
    this.#pieces = [];
    const isSpread = this.#lines.length > 0 || line.trimEnd() === '{';
    if (isSpread) {
      this.#lines.push(line);
      if (line.trimEnd() !== '}') {
        return;
      }
    }
    this.#piecesLength = 0;
    const message = isSpread ? this.#lines.join('\n') : line;
    this.#lines = [];
    this.#message(message);
  }

  #gather(piece: string): void {
    this.#pieces.push(piece);
    this.#piecesLength += piece.length;
    if (this.#piecesLength > maxLineLength) {
      this.#pieces = [];
      this.#lines = [];
      this.#refuse(`a message has more than ${maxLineLength} characters`);
    }
  }

  #message(text: string): void {
    const message = parseQmpMessage(text);
    if (message === undefined) {
      this.#refuse(`it says ${JSON.stringify(text.slice(0, 60))}, which is no QMP`);
      return;
    }
    const line = this.#line++;
    if ('QMP' in message) {
      this.#greet?.();
    } else if ('event' in message) {
      this.#tell(message, line);
    } else {
      // Without a number, or with one that nothing waits for: whoever waits has a time limit.
      const number = message.id ?? -1;
      const pending = this.#pending.get(number);
      if (pending === undefined) {
        return;
      }
      this.#pending.delete(number);
      this.#unansweredLength = 0;
      if ('error' in message) {
        const { class: qmpClass, desc } = message.error;
        pending.fail(new QmpCommandError(pending.command, qmpClass, desc));
      } else {
        pending.settle({ value: message.return, line });
      }
    }
  }

  #tell({ event: name, data = {}, timestamp }: QmpEventMessage, line: number): void {
    const atMicroseconds =
      timestamp === undefined || timestamp.seconds < 0 || timestamp.microseconds < 0
        ? Date.now() * 1000
        : timestamp.seconds * 1e6 + timestamp.microseconds;
    for (const listener of [...this.#listeners]) {
      listener({ name, data, atMicroseconds, line });
    }
  }

  /** What goes on at the other end is not QMP, or too much of it. */
  #refuse(reason: string): void {
    this.#lose(reason);
    this.#socket.destroy();
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
