// One connection to a NameNode by Hadoop RPC, with many calls under way at once (Apache Hadoop, org.apache.hadoop.ipc.Server).
// What is sent is in rpc-session.ts; what comes back is, in any order:
//
//   length header response   an answer to a call, or a message of SASL

import { connect, type Socket } from 'node:net';
import { ParsError } from '../../../../introspect/pars-error.js';
import { errorOfException } from '../../hadoop/remote-exception.js';
import { startDeadline } from '../net/deadline.js';
import { addressOf } from '../net/host-port.js';
import { PeerFailure, silence, toParsError } from '../net/peer-error.js';
import { type Method, protocolName, protocolVersion } from '../proto/client-namenode-protocol.js';
import { requestHeader, rpcResponseHeader, rpcStatus } from '../proto/rpc-header.js';
import type { Authentication } from '../security/authentication.js';
import { WireReader } from '../wire/wire-reader.js';
import { Frames, FrameTooLong } from './frames.js';
import { RpcSession } from './rpc-session.js';

export interface RpcConnectionOptions {
  readonly hostPort: string;
  readonly authentication: Authentication;
  /** 16 random bytes, the same for all connections of a client. */
  readonly clientId: Uint8Array;
  readonly connectTimeoutMs: number;
}

export interface Call<Request, Response> {
  readonly method: Method<Request, Response>;
  readonly request: Request;
  /** The call's number, the same for each attempt at it. */
  readonly callId: number;
  readonly retryCount: number;
  /** Opens the message of each error. */
  readonly doing: string;
  readonly answerTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

interface PendingCall {
  readonly doing: string;
  readonly succeed: (from: WireReader) => void;
  readonly fail: (error: Error) => void;
}

export class RpcConnection {
  readonly #options: RpcConnectionOptions;
  readonly #socket: Socket;
  readonly #session: RpcSession;
  readonly #frames = new Frames();
  readonly #pending = new Map<number, PendingCall>();
  readonly #stopConnecting: () => void;
  #failure: Error | undefined;
  #lastArrivalMs = 0;

  /** Calls may be made at once; they wait for the connection, and fail with it. */
  constructor(options: RpcConnectionOptions) {
    const { hostPort, authentication, clientId, connectTimeoutMs } = options;
    this.#options = options;
    this.#socket = connect({ ...addressOf(hostPort), noDelay: true });
    this.#stopConnecting = startDeadline(connectTimeoutMs, () => {
      this.#end(silence('a connection', connectTimeoutMs));
    });
    this.#socket.once('connect', this.#stopConnecting);
    this.#socket.on('data', (piece) => {
      this.#receive(piece);
    });
    this.#socket.on('error', (error) => {
      this.#end(error);
    });
    this.#socket.on('close', () => {
      this.#end(new PeerFailure('closed', 'the other side closed it'));
    });
    this.#session = new RpcSession({
      authentication,
      clientId,
      where: `a connection to ${hostPort}`,
      write: (bytes) => {
        this.#socket.write(bytes);
      },
    });
  }

  get isOpen(): boolean {
    return this.#failure === undefined;
  }

  /** Whether both sides have proven who they are. */
  get isProven(): boolean {
    return this.#session.isProven;
  }

  /** Throws what the NameNode's exception means, and `unavailable` when no answer comes in time. */
  call<Request, Response>(call: Call<Request, Response>): Promise<Response> {
    const { method, request, callId, retryCount, doing, answerTimeoutMs, signal } = call;
    return new Promise<Response>((resolve, reject) => {
      const sentMs = performance.now();
      const over = (): void => {
        stopWaiting();
        signal?.removeEventListener('abort', stop);
        this.#pending.delete(callId);
        if (this.#pending.size === 0) {
          this.#socket.unref();
        }
      };
      const fail = (error: Error): void => {
        over();
        reject(toParsError(error, doing, this.#options.hostPort));
      };
      const stop = (): void => {
        fail(
          new ParsError('cancelled', `${doing}: stopped by the caller`, { cause: signal?.reason }),
        );
      };
      const stopWaiting = startDeadline(answerTimeoutMs, () => {
        fail(silence('an answer', answerTimeoutMs));
        // Where others were answered meanwhile, it is this call that takes so long.
        if (this.#lastArrivalMs < sentMs) {
          this.#end(silence('an answer', answerTimeoutMs));
        }
      });
      const succeed = (from: WireReader): void => {
        try {
          const response = method.response.read(from);
          over();
          resolve(response);
        } catch (error) {
          fail(error as Error);
        }
      };
      this.#pending.set(callId, { doing, succeed, fail });
      if (this.#failure !== undefined) {
        fail(this.#failure);
        return;
      }
      signal?.addEventListener('abort', stop);
      this.#socket.ref();
      const header = requestHeader.encodeDelimited({
        methodName: method.name,
        declaringClassProtocolName: protocolName,
        clientProtocolVersion: protocolVersion,
      });
      this.#session.send(callId, retryCount, header, method.request.encodeDelimited(request));
    });
  }

  close(): void {
    this.#end(new PeerFailure('closed', 'it was closed here'));
  }

  #receive(piece: Buffer): void {
    this.#lastArrivalMs = performance.now();
    try {
      for (const frame of this.#frames.push(piece)) {
        this.#answer(frame);
      }
    } catch (error) {
      this.#end(error instanceof FrameTooLong ? this.#notRpc(error) : (error as Error));
    }
  }

  #answer(frame: Buffer): void {
    const from = new WireReader(frame, `an answer of ${this.#options.hostPort}`);
    const header = rpcResponseHeader.read(from);
    if (header.status === rpcStatus.success && this.#session.isSasl(header.callId)) {
      for (const unwrapped of this.#session.receiveSasl(from)) {
        this.#answer(unwrapped);
      }
      return;
    }
    const pending = this.#pending.get(header.callId);
    if (header.status === rpcStatus.success) {
      pending?.succeed(from);
      return;
    }
    const { exceptionClassName = 'no name', errorMsg = '' } = header;
    // Java's own names: org.apache.hadoop.hdfs.protocol.FSLimitException$PathComponentTooLongException.
    const exception = exceptionClassName.split(/[.$]/).at(-1) ?? '';
    const where = `${pending?.doing ?? 'a connection'} at ${this.#options.hostPort}`;
    const error = errorOfException(exception, errorMsg, where);
    pending?.fail(error);
    // The other side closes it.
    if (header.status === rpcStatus.fatal) {
      this.#end(error);
    }
  }

  #notRpc({ start, message }: FrameTooLong): ParsError {
    const found = start.subarray(0, 4).toString() === 'HTTP' ? 'it speaks HTTP' : message;
    return new ParsError(
      'usage',
      `${this.#options.hostPort}: ${found}; it is not Hadoop RPC: check that the port is the NameNode's RPC port (8020), ` +
        'not its HTTP port',
    );
  }

  #end(error: Error): void {
    if (this.#failure !== undefined) {
      return;
    }
    this.#failure = error;
    this.#stopConnecting();
    this.#socket.destroy();
    for (const pending of [...this.#pending.values()]) {
      pending.fail(error);
    }
  }
}
