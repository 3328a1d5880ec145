// How long the other side of a connection may take. A bound on silence alone is none: a byte now and then is no silence.
// So beside it stands a least rate for bodies, in both directions, and a bound for everything that is small.
//
// Only the peer's time counts. Where the content is not there yet, as under `--bandwidth`, or what came has not been read
// yet, the clock of the rate stands.

import type { ClientRequest, IncomingMessage } from 'node:http';
import { TransferError } from './node-error.js';

/** Less than a modem's line took; a block of 128 MiB then takes 2.3 hours at the most. */
export const leastBytesPerSecond = 16 * 1024;
/** What may be sent before the answer proper: a DataNode sends one `100 Continue`. */
export const informationMaxCount = 16;

/** Ends the request, or the reading of its answer, with `error`. */
export function stopTransfer(outgoing: ClientRequest, error: Error): void {
  const { res: answer } = outgoing as { res?: IncomingMessage | null };
  (answer ?? outgoing).destroy(error);
}

export function idleTimeout(message: string): TransferError {
  return new TransferError('idle-timeout', message);
}

/** The head of the answer within `timeoutMs` of when the request was sent whole, whatever else is said before. */
export function limitAnswering(outgoing: ClientRequest, timeoutMs: number): void {
  let informationCount = 0;
  outgoing.on('information', () => {
    informationCount++;
    if (informationCount <= informationMaxCount) {
      return;
    }
    const found = `more than ${informationMaxCount} informational answers, and none that ends the request`;
    stopTransfer(outgoing, idleTimeout(found));
  });
  let timer: NodeJS.Timeout | undefined;
  outgoing.once('finish', () => {
    timer = setTimeout(() => {
      stopTransfer(
        outgoing,
        idleTimeout(`the head of the answer was not whole after ${timeoutMs} ms`),
      );
    }, timeoutMs);
  });
  const clear = (): void => {
    clearTimeout(timer);
  };
  outgoing.once('response', clear);
  outgoing.once('close', clear);
}

/** Each `windowMs` brings the body its share of the least rate, or its end. */
export function limitReading(
  outgoing: ClientRequest,
  body: IncomingMessage,
  windowMs: number,
): void {
  const { socket } = body;
  const leastBytes = Math.ceil((leastBytesPerSecond * windowMs) / 1000);
  let receivedBytes = socket.bytesRead;
  const timer = setInterval(() => {
    // This process may have been busy: what has arrived meanwhile is looked at first.
    setImmediate(() => {
      const movedBytes = socket.bytesRead - receivedBytes;
      receivedBytes = socket.bytesRead;
      const isOurs = body.readableLength > 0;
      if (movedBytes >= leastBytes || isOurs || body.destroyed || body.readableEnded) {
        return;
      }
      stopTransfer(outgoing, idleTimeout(tooSlow('sent', movedBytes, windowMs)));
    });
  }, windowMs);
  const clear = (): void => {
    clearInterval(timer);
  };
  body.once('end', clear);
  body.once('close', clear);
}

/** Each `windowMs` spent waiting for the peer takes off its share of the least rate. */
export class SendingRate {
  readonly #windowMs: number;
  readonly #leastBytes: number;
  readonly #stop: (error: Error) => void;
  #waitedMs = 0;
  #movedBytes = 0;

  constructor(windowMs: number, stop: (error: Error) => void) {
    this.#windowMs = windowMs;
    this.#leastBytes = Math.ceil((leastBytesPerSecond * windowMs) / 1000);
    this.#stop = stop;
  }

  /** `untilTaken` settles when the peer has taken the last of the bytes, or the request is over. */
  async waitFor(sizeBytes: number, untilTaken: Promise<void>): Promise<void> {
    const startMs = performance.now();
    const timer = setTimeout(() => {
      this.#stop(idleTimeout(tooSlow('took', this.#movedBytes, this.#windowMs)));
    }, this.#windowMs - this.#waitedMs);
    try {
      await untilTaken;
    } finally {
      clearTimeout(timer);
    }
    this.#waitedMs += performance.now() - startMs;
    this.#movedBytes += sizeBytes;
    if (this.#movedBytes >= this.#leastBytes) {
      this.#movedBytes = 0;
      this.#waitedMs = 0;
    }
  }
}

function tooSlow(did: string, movedBytes: number, windowMs: number): string {
  return `the other side ${did} only ${movedBytes} bytes in ${windowMs} ms; expected ${leastBytesPerSecond} a second`;
}
