// What comes before calls on a connection to a NameNode, and what stands around them afterwards:
//
//   "hrpc" 9 0 0             once: version 9, no service class, no SASL; or 223 at the end, and then SASL
//   length header SASL       only with SASL: the negotiation (sasl-negotiation.ts)
//   length context           once: who calls, and for which protocol
//   length header request    each call; header and request with their own lengths before them
//
// Where the negotiation agrees on a protection, all that follows it, context and lengths included, is wrapped in messages of SASL.

import { protocolName } from '../proto/client-namenode-protocol.js';
import {
  ipcConnectionContext,
  rpcKind,
  rpcOperation,
  rpcRequestHeader,
  type RpcSasl,
  rpcSasl,
  saslStates,
} from '../proto/rpc-header.js';
import type { Authentication } from '../security/authentication.js';
import type { DigestLayer } from '../security/digest-layer.js';
import type { WireReader } from '../wire/wire-reader.js';
import { Frames } from './frames.js';
import { negotiateRequest, SaslNegotiation } from './sasl-negotiation.js';

/** AuthProtocol of org.apache.hadoop.ipc.Server, the last byte of the preamble. */
const authProtocols = { none: 0, sasl: 0xdf } as const;
/** RpcConstants.CONNECTION_CONTEXT_CALL_ID, AuthProtocol.SASL and INVALID_RETRY_COUNT. */
const contextCallId = -3;
const saslCallId = -33;
const noRetryCount = -1;

export interface RpcSessionOptions {
  readonly authentication: Authentication;
  /** 16 random bytes; with the number of a call they tell a NameNode that this was asked before. */
  readonly clientId: Uint8Array;
  /** Opens the message of each error: what is done, and where. */
  readonly where: string;
  readonly write: (bytes: Buffer) => void;
}

export class RpcSession {
  readonly #options: RpcSessionOptions;
  readonly #negotiation: SaslNegotiation | undefined;
  readonly #unwrapped = new Frames();
  /** What waits for the end of the negotiation. */
  #waiting: Buffer[] | undefined;
  #layer: DigestLayer | undefined;
  #isProven = false;

  /** Calls may be sent at once; they wait until the NameNode knows who calls. */
  constructor(options: RpcSessionOptions) {
    const { authentication, where, write } = options;
    this.#options = options;
    if (authentication.kind === 'token') {
      this.#negotiation = new SaslNegotiation(authentication, where);
      this.#waiting = [];
      write(preamble(authProtocols.sasl));
      this.#sendSasl(negotiateRequest);
    } else {
      write(preamble(authProtocols.none));
      this.#sendContext();
    }
  }

  /** Whether both sides have proven who they are. */
  get isProven(): boolean {
    return this.#isProven;
  }

  send(callId: number, retryCount: number, ...parts: readonly Buffer[]): void {
    this.#send(frameOf(callId, retryCount, this.#options.clientId, parts));
  }

  /** Whether an answer is a message of SASL. Numbers of calls are signed in requests and unsigned in answers. */
  isSasl(callId: number): boolean {
    return (callId | 0) === saslCallId;
  }

  /** Takes a message of SASL, and gives the answers that were wrapped in it. Throws where the other side proves nothing. */
  receiveSasl(from: WireReader): readonly Buffer[] {
    const message = rpcSasl.read(from);
    if (message.state === saslStates.wrap && this.#layer !== undefined) {
      return this.#unwrapped.push(this.#layer.unwrap(message.token ?? new Uint8Array()));
    }
    const waiting = this.#waiting;
    if (this.#negotiation === undefined || waiting === undefined) {
      throw from.refusal(`an answer to a call, found a message of SASL of state ${message.state}`);
    }
    const step = this.#negotiation.receive(message);
    if (!step.isOver) {
      this.#sendSasl(step.reply);
      return [];
    }
    if (step.isProven) {
      this.#isProven = true;
      this.#layer = step.layer;
    } else if (step.reply !== undefined) {
      this.#sendSasl(step.reply);
    }
    this.#waiting = undefined;
    this.#sendContext();
    for (const frame of waiting) {
      this.#send(frame);
    }
    return [];
  }

  #sendContext(): void {
    const { authentication, clientId } = this.#options;
    const effectiveUser = authentication.userName;
    // Who has a token is its owner, and does not say so again.
    const userInfo = this.#isProven ? undefined : { effectiveUser };
    const context = ipcConnectionContext.encodeDelimited({ userInfo, protocol: protocolName });
    this.#send(frameOf(contextCallId, noRetryCount, clientId, [context]));
  }

  #send(frame: Buffer): void {
    if (this.#waiting !== undefined) {
      this.#waiting.push(frame);
    } else if (this.#layer === undefined) {
      this.#options.write(frame);
    } else {
      this.#sendSasl({ state: saslStates.wrap, token: this.#layer.wrap(frame), auths: [] });
    }
  }

  #sendSasl(message: RpcSasl): void {
    const parts = [rpcSasl.encodeDelimited(message)];
    this.#options.write(frameOf(saslCallId, noRetryCount, new Uint8Array(), parts));
  }
}

function preamble(authProtocol: number): Buffer {
  return Buffer.from([...Buffer.from('hrpc'), 9, 0, authProtocol]);
}

function frameOf(
  callId: number,
  retryCount: number,
  clientId: Uint8Array,
  parts: readonly Buffer[],
): Buffer {
  const header = rpcRequestHeader.encodeDelimited({
    rpcKind: rpcKind.protocolBuffer,
    rpcOp: rpcOperation.finalPacket,
    callId,
    clientId,
    retryCount,
  });
  const length = Buffer.alloc(4);
  length.writeUInt32BE(parts.reduce((sum, part) => sum + part.length, header.length));
  return Buffer.concat([length, header, ...parts]);
}
