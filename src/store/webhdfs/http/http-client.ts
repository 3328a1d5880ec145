// HTTP as WebHDFS needs it: streamed bodies with back-pressure, a bound on every wait (transfer-bounds.ts), kept-alive
// connections.
//
// On node:http, not on undici: a DataNode answers every CREATE with an unasked-for `100 Continue` (WebHdfsHandler), and
// undici 7 breaks a connection that does so. What is worse, the DataNode then closes the half of the file it has got
// as if it were the whole. Node's own client takes the 100 as the standard says.

import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import { ParsError } from '../../../../introspect/pars-error.js';
import { throwIfCancelled } from '../../hadoop/retry.js';
import type { MappedAddress } from '../../hadoop/url-parts.js';
import { piecesOf } from './body-pieces.js';
import { toParsError, TransferError } from './node-error.js';
import {
  idleTimeout,
  limitAnswering,
  limitReading,
  SendingRate,
  stopTransfer,
} from './transfer-bounds.js';

export interface HttpRequest {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  readonly url: URL;
  /** Connect there instead; the host is still who the URL says, for TLS too. */
  readonly reachedAt?: MappedAddress | undefined;
  /** For messages: the operation and the path, no query. */
  readonly doing: string;
  readonly body?: AsyncIterable<Uint8Array>;
  /** Longest wait for the other side to send or to take a byte. Waiting for `body` does not count. */
  readonly idleTimeoutMs: number;
  /**
   * Longest wait for the head of the answer once all is sent, and the time over which the least rate of a body in
   * either direction is told.
   */
  readonly answerTimeoutMs: number;
  /** Longest wait for the word that `body` is welcome. Nothing of it is made or sent before. */
  readonly continueTimeoutMs?: number;
  readonly signal: AbortSignal | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** Must be read to its end or destroyed. Its errors go through `HttpClient.translate`. */
  readonly body: http.IncomingMessage;
}

export interface HeadersRequest {
  readonly method: string;
  /** NameNodes and DataNodes alike: those that a redirect names are on other hosts. */
  readonly host: string;
  readonly path: string;
}

export interface HttpClientOptions {
  readonly connectTimeoutMs: number;
  /** Certificate authorities in PEM, in place of Node's own and those of NODE_EXTRA_CA_CERTS. */
  readonly ca: string | undefined;
  readonly headers:
    | ((
        request: HeadersRequest,
      ) => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>)
    | undefined;
}

export class HttpClient {
  readonly #options: HttpClientOptions;
  readonly #httpAgent = new http.Agent({ keepAlive: true });
  readonly #httpsAgent: https.Agent;
  #isClosed = false;

  constructor(options: HttpClientOptions) {
    this.#options = options;
    this.#httpsAgent = new https.Agent({
      keepAlive: true,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
    });
  }

  /**
   * Resolves with the head of the answer, whatever its status. Throws ParsError for the network's failures, and the
   * body's own error, untranslated, when iterating over it fails.
   */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    const { method, url, signal } = request;
    const headers = await this.#options.headers?.({
      method,
      host: url.host,
      path: decodeURIComponent(url.pathname),
    });
    this.#throwIfStopped(signal);
    const isTls = url.protocol === 'https:';
    const outgoing = (isTls ? https : http).request(url, {
      method,
      agent: isTls ? this.#httpsAgent : this.#httpAgent,
      ...connectionOf(request),
      headers: {
        accept: '*/*',
        host: url.host,
        // HttpFS takes no other for a file's content.
        ...(request.body ? { 'content-type': 'application/octet-stream' } : {}),
        ...(request.body && request.continueTimeoutMs !== undefined
          ? { expect: '100-continue' }
          : {}),
        ...headers,
      },
      ...(signal ? { signal } : {}),
    });
    limitConnecting(outgoing, this.#options.connectTimeoutMs);
    const pump = {
      isWaitingForSource: false,
      sourceFailure: undefined as { error: unknown } | undefined,
    };
    outgoing.setTimeout(request.idleTimeoutMs, () => {
      if (pump.isWaitingForSource) {
        return;
      }
      const message = `nothing was received or accepted for ${request.idleTimeoutMs} ms`;
      stopTransfer(outgoing, idleTimeout(message));
    });
    limitAnswering(outgoing, request.answerTimeoutMs);

    const answered = new Promise<HttpAnswer>((resolve, reject) => {
      outgoing.once('response', (body) => {
        // Answered before all was sent: a refusal. What was not sent must not keep the connection.
        if (!outgoing.writableFinished) {
          body.once('end', () => outgoing.destroy());
        }
        limitReading(outgoing, body, request.answerTimeoutMs);
        resolve({ status: body.statusCode ?? 0, headers: body.headers, body });
      });
      outgoing.on('error', reject);
    });
    const { body } = request;
    if (body) {
      sendBody(outgoing, body, request, pump).catch((error: unknown) => {
        pump.sourceFailure = { error };
        outgoing.destroy(new Error('the content could not be read'));
      });
    } else {
      outgoing.end();
    }
    try {
      return await answered;
    } catch (error) {
      if (pump.sourceFailure) {
        throw pump.sourceFailure.error;
      }
      throw this.translate(error, request);
    }
  }

  /** What an error while reading an answer's body means. */
  translate(error: unknown, request: HttpRequest): unknown {
    try {
      this.#throwIfStopped(request.signal);
    } catch (stopped) {
      return stopped;
    }
    const { url, doing, reachedAt: at } = request;
    return toParsError(
      error,
      doing,
      at === undefined ? url.host : `${url.host} (${at.host}:${at.port})`,
    );
  }

  /** Breaks what is under way. */
  close(): void {
    this.#isClosed = true;
    this.#httpAgent.destroy();
    this.#httpsAgent.destroy();
  }

  #throwIfStopped(signal: AbortSignal | undefined): void {
    throwIfCancelled(signal);
    if (this.#isClosed) {
      throw new ParsError('cancelled', 'the store was closed');
    }
  }
}

function connectionOf({
  url,
  reachedAt,
}: HttpRequest): Pick<https.RequestOptions, 'hostname' | 'port' | 'servername'> {
  if (reachedAt === undefined) {
    return {};
  }
  const { host: hostname, port } = reachedAt;
  const servername = url.hostname;
  // An address is no name of a server.
  return isIP(servername) === 0 ? { hostname, port, servername } : { hostname, port };
}

/** A host that is switched off answers nothing at all; the kernel would go on for two minutes. */
function limitConnecting(outgoing: http.ClientRequest, timeoutMs: number): void {
  outgoing.once('socket', (socket) => {
    if (!socket.connecting) {
      return;
    }
    const timer = setTimeout(() => {
      outgoing.destroy(
        new TransferError('connect-timeout', `no connection within ${timeoutMs} ms`),
      );
    }, timeoutMs);
    const clear = () => {
      clearTimeout(timer);
    };
    socket.once('connect', clear);
    outgoing.once('close', clear);
  });
}

/** Ends early, without an error, when the other side has answered or gone; then `outgoing` says how it ended. */
async function sendBody(
  outgoing: http.ClientRequest,
  body: AsyncIterable<Uint8Array>,
  { continueTimeoutMs, answerTimeoutMs }: HttpRequest,
  pump: { isWaitingForSource: boolean },
): Promise<void> {
  const over = overOf(outgoing);
  // A node that cannot be reached should not cost the making of the content.
  await Promise.race([connected(outgoing), over.reached]);
  if (continueTimeoutMs !== undefined && !over.isReached()) {
    await welcomed(outgoing, over.reached, continueTimeoutMs);
  }
  if (over.isReached()) {
    return;
  }
  const rate = new SendingRate(answerTimeoutMs, (error) => {
    stopTransfer(outgoing, error);
  });
  pump.isWaitingForSource = true;
  for await (const piece of piecesOf(body)) {
    pump.isWaitingForSource = false;
    if (over.isReached()) {
      return;
    }
    await rate.waitFor(piece.length, Promise.race([taken(outgoing, piece), over.reached]));
    pump.isWaitingForSource = true;
  }
  pump.isWaitingForSource = false;
  outgoing.end();
}

/** The moment from which sending is of no use: an answer is there, or the connection is gone. */
function overOf(outgoing: http.ClientRequest): {
  readonly reached: Promise<void>;
  readonly isReached: () => boolean;
} {
  let isReached = false;
  const reached = new Promise<void>((resolve) => {
    const reach = () => {
      isReached = true;
      resolve();
    };
    outgoing.once('response', reach);
    outgoing.once('close', reach);
  });
  return { reached, isReached: () => isReached };
}

function connected(outgoing: http.ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    outgoing.once('socket', (socket) => {
      if (socket.connecting) {
        socket.once('connect', resolve);
      } else {
        resolve();
      }
    });
  });
}

/**
 * Until the other side has said that it takes the content. A DataNode says so before it does anything else, so one that
 * does not say so hangs, however many connections the kernel accepts for it.
 */
async function welcomed(
  outgoing: http.ClientRequest,
  over: Promise<void>,
  timeoutMs: number,
): Promise<void> {
  const timer = setTimeout(() => {
    stopTransfer(
      outgoing,
      idleTimeout(`it did not say within ${timeoutMs} ms that it takes the content`),
    );
  }, timeoutMs);
  try {
    await Promise.race([new Promise<void>((resolve) => outgoing.once('continue', resolve)), over]);
  } finally {
    clearTimeout(timer);
  }
}

/** Until the kernel has it, or the encryption of TLS: then its memory may hold something else. */
function taken(outgoing: http.ClientRequest, piece: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    outgoing.write(piece, () => {
      resolve();
    });
  });
}
