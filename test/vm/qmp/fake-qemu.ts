// The other end of QMP, that says what a test has it say.
import { createServer, type Server, type Socket } from 'node:net';

export type FakeAnswer =
  | { readonly return: unknown }
  | { readonly error: { readonly class: string; readonly desc: string } };

export interface FakeCommand {
  readonly execute: string;
  readonly arguments?: unknown;
}

export interface FakeQemuOptions {
  /** What it says first; QEMU's greeting unless told. */
  readonly greeting?: string;
  /** By command; what is not here is answered with an empty object. */
  readonly answers?: Readonly<Record<string, (command: FakeCommand) => FakeAnswer>>;
  /** Lines before the answer to a command. */
  readonly before?: Readonly<Record<string, readonly string[]>>;
  /** Says nothing to these, and goes. */
  readonly leavesAt?: string;
}

export class FakeQemu {
  readonly path: string;
  /** What it was asked, but for the handshake. */
  readonly commands: FakeCommand[] = [];
  readonly #options: FakeQemuOptions;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  private constructor(path: string, options: FakeQemuOptions) {
    this.path = path;
    this.#options = options;
    this.#server = createServer((socket) => {
      this.#serve(socket);
    });
  }

  static async listen(path: string, options: FakeQemuOptions = {}): Promise<FakeQemu> {
    const fake = new FakeQemu(path, options);
    await new Promise<void>((resolve) => {
      fake.#server.listen(path, resolve);
    });
    return fake;
  }

  namesOfCommands(): readonly string[] {
    return this.commands.map(({ execute }) => execute);
  }

  async close(): Promise<void> {
    this.#sockets.forEach((socket) => socket.destroy());
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.write(this.#options.greeting ?? '{"QMP": {"version": {}, "capabilities": []}}\r\n');
    let rest = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        this.#answer(socket, JSON.parse(line) as FakeCommand & { readonly id: number });
      }
    });
  }

  #answer(socket: Socket, { id, ...command }: FakeCommand & { readonly id: number }): void {
    const { answers, before, leavesAt } = this.#options;
    if (command.execute !== 'qmp_capabilities') {
      this.commands.push(command);
    }
    if (command.execute === leavesAt) {
      socket.destroy();
      return;
    }
    const answer = answers?.[command.execute]?.(command) ?? { return: {} };
    const lines = [...(before?.[command.execute] ?? []), JSON.stringify({ ...answer, id })];
    socket.write(lines.map((line) => `${line}\r\n`).join(''));
  }
}
