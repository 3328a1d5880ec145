// A connection whose bytes are taken when they are wanted. They arrive in one piece of memory that is used again and again, and
// the kernel is not asked for more before all of it was taken: so a peer cannot fill our memory.

import { connect, type Socket } from 'node:net';
import { ParsError } from '../../../../introspect/pars-error.js';
import { networkCode } from '../../hadoop/network-code.js';
import type { Message } from '../wire/message.js';
import { maxVarintBytes } from '../wire/wire-reader.js';
import { startDeadline } from './deadline.js';
import { addressOf } from './host-port.js';
import { PeerFailure, silence, toParsError } from './peer-error.js';

/** What protects a connection's bytes once both sides have agreed on it. */
export interface Cover {
  /** The bytes as they go on the wire. */
  seal(bytes: Uint8Array): Buffer;
  /** What can be read by now after these bytes came from the wire. Throws for what the other side did not send. */
  open(arrived: Uint8Array): Buffer;
  /** Whether something came of which the rest is still to come. */
  readonly hasPart: boolean;
}

export interface PeerStreamOptions {
  /** `host:port`, an IPv6 address in brackets. Who it is for, in errors; where it is reached unless `reachedAt` is given. */
  readonly hostPort: string;
  readonly reachedAt?: { readonly host: string; readonly port: number } | undefined;
  /** What it is for, at the start of each error: the operation and the path. */
  readonly doing: string;
  readonly connectTimeoutMs: number;
  /** What is taken from the kernel at once. */
  readonly bufferSizeBytes: number;
  /** Ends the connection, and what waits on it with `cancelled`. */
  readonly signal: AbortSignal | undefined;
  /** What it may mean when the other side closes it before it has said a word. */
  readonly hintOfSilence?: string | undefined;
}

/** Less than a modem's line took. Of what is long, this much more time is given for each second's worth. */
export const leastBytesPerSecond = 16 * 1024;

export class PeerStream {
  readonly hostPort: string;
  readonly #socket: Socket;
  #doing: string;
  readonly #hintOfSilence: string | undefined;
  /** Arrived, and not yet taken. */
  #arrived: Uint8Array = new Uint8Array();
  #hasHeard = false;
  #cover: Cover | undefined;
  #failure: Error | undefined;
  #wake: () => void = () => undefined;
  #unlisten: () => void = () => undefined;

  private constructor(options: PeerStreamOptions) {
    const { hostPort, reachedAt, doing, bufferSizeBytes, hintOfSilence } = options;
    this.hostPort = hostPort;
    this.#doing = doing;
    this.#hintOfSilence = hintOfSilence;
    this.#socket = connect({
      ...(reachedAt ?? addressOf(hostPort)),
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafeSlow(bufferSizeBytes),
        callback: (sizeBytes, buffer) => {
          this.#arrive(buffer.subarray(0, sizeBytes));
          return false;
        },
      },
    });
    this.#socket.on('error', (error) => {
      this.#break(error);
    });
    this.#socket.on('close', () => {
      this.#end(this.#closed());
    });
    this.#socket.on('end', () => {
      this.#end(this.#closed());
    });
  }

  /** Throws `unavailable` when nobody takes the connection in time, `cancelled` when `signal` is aborted. */
  static async connect(options: PeerStreamOptions): Promise<PeerStream> {
    const stream = new PeerStream(options);
    stream.use(options.doing, options.signal);
    const connected = new Promise<void>((resolve) => {
      stream.#socket.once('connect', resolve);
      stream.#wake = resolve;
    });
    const stop = startDeadline(options.connectTimeoutMs, () => {
      stream.destroy(silence('a connection', options.connectTimeoutMs));
    });
    await connected;
    stop();
    stream.#throwIfEnded();
    return stream;
  }

  /** Whether it can be used once more: open, and nothing arrived that was not asked for. */
  get isUsable(): boolean {
    const isEmpty = this.#arrived.length === 0 && this.#cover?.hasPart !== true;
    return this.#failure === undefined && isEmpty;
  }

  /** From now on all bytes go through `cover`, in both ways. */
  protect(cover: Cover): void {
    const arrived = this.#arrived;
    this.#cover = cover;
    this.#arrived = new Uint8Array();
    if (arrived.length > 0) {
      this.#arrive(arrived);
    }
  }

  /** From now on it is for this, and ends by this signal. */
  use(doing: string, signal: AbortSignal | undefined): void {
    this.#unlisten();
    this.#doing = doing;
    this.#socket.ref();
    if (signal === undefined) {
      return;
    }
    const stop = (): void => {
      const cause: unknown = signal.reason;
      this.destroy(new ParsError('cancelled', `${doing}: stopped by the caller`, { cause }));
    };
    signal.addEventListener('abort', stop);
    this.#unlisten = () => {
      signal.removeEventListener('abort', stop);
    };
    if (signal.aborted) {
      stop();
    }
  }

  /** Kept open for what comes, it does not keep the process alive, and sees when the other side closes it. */
  rest(): void {
    this.#unlisten();
    this.#unlisten = () => undefined;
    this.#socket.resume();
    this.#socket.unref();
  }

  /**
   * Fills all of `target`. Throws `unavailable` when that much does not come within `timeoutMs` and its share of the rate; without
   * `timeoutMs` it waits until somebody destroys the stream.
   */
  async fill(target: Uint8Array, what: string, timeoutMs: number | undefined): Promise<void> {
    let filledBytes = this.#takeInto(target, 0);
    if (filledBytes === target.length) {
      return;
    }
    const stop = timeoutMs === undefined ? undefined : this.#limit(target.length, what, timeoutMs);
    try {
      while (filledBytes < target.length) {
        await this.#arrival();
        filledBytes = this.#takeInto(target, filledBytes);
      }
    } finally {
      stop?.();
    }
  }

  /** A message with its length before it; one of more than `maxSizeBytes` is refused as `unsupported`. */
  async message<Values>(
    type: Message<Values>,
    maxSizeBytes: number,
    timeoutMs: number | undefined,
  ): Promise<Values> {
    const where = `${this.#doing} at ${this.hostPort}`;
    const byte = Buffer.alloc(1);
    let sizeBytes = 0;
    for (let count = 0; count === 0 || byte[0] >= 0x80; count++) {
      await this.fill(byte, type.name, timeoutMs);
      sizeBytes += (byte[0] & 0x7f) * 2 ** (7 * count);
      if (sizeBytes > maxSizeBytes || count === maxVarintBytes) {
        throw new ParsError(
          'unsupported',
          `${where}: ${type.name} has ${sizeBytes} bytes or more; at most ${maxSizeBytes} are possible`,
        );
      }
    }
    const bytes = Buffer.alloc(sizeBytes);
    await this.fill(bytes, type.name, timeoutMs);
    return type.decode(bytes, where);
  }

  /** Resolves when the kernel has taken all of it; until then `bytes` must not change. */
  async write(bytes: Uint8Array): Promise<void> {
    const sealed = this.#cover === undefined ? bytes : this.#cover.seal(bytes);
    await new Promise<void>((resolve) => {
      this.#socket.write(sealed, (error) => {
        if (error) {
          this.#break(error);
        }
        resolve();
      });
    });
    this.#throwIfEnded();
  }

  /** What waits on it ends with `error`, unless it has ended already. */
  destroy(error: Error = new PeerFailure('closed', 'it was closed here')): void {
    this.#end(error);
    this.#socket.destroy();
  }

  #arrive(bytes: Uint8Array): void {
    this.#hasHeard = true;
    try {
      this.#arrived = this.#cover === undefined ? bytes : this.#cover.open(bytes);
      this.#wake();
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  #closed(): PeerFailure {
    const hint = this.#hasHeard ? undefined : this.#hintOfSilence;
    const suffix = hint === undefined ? '' : ` without a word; ${hint}`;
    return new PeerFailure('closed', `the other side closed it${suffix}`);
  }

  #limit(sizeBytes: number, what: string, timeoutMs: number): () => void {
    const boundMs = timeoutMs + Math.ceil((1000 * sizeBytes) / leastBytesPerSecond);
    return startDeadline(boundMs, () => {
      this.destroy(silence(what, boundMs));
    });
  }

  async #arrival(): Promise<void> {
    this.#throwIfEnded();
    const arrived = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#socket.resume();
    await arrived;
    if (this.#arrived.length === 0) {
      this.#throwIfEnded();
    }
  }

  #takeInto(target: Uint8Array, fromBytes: number): number {
    const taken = this.#arrived.subarray(0, target.length - fromBytes);
    target.set(taken, fromBytes);
    this.#arrived = this.#arrived.subarray(taken.length);
    return fromBytes + taken.length;
  }

  #break(error: Error): void {
    // So it also looks when what was sent was not read to its end.
    const isClosed = networkCode(error) === 'ECONNRESET' && !this.#hasHeard;
    this.#end(isClosed && this.#hintOfSilence !== undefined ? this.#closed() : error);
  }

  #end(error: Error): void {
    this.#failure ??= error;
    this.#unlisten();
    this.#wake();
  }

  #throwIfEnded(): void {
    if (this.#failure === undefined) {
      return;
    }
    throw toParsError(this.#failure, this.#doing, this.hostPort);
  }
}
