// Reading an answer's body into memory, with a limit: what answers may be a proxy, a captive portal, or a broken server.

import type { HttpAnswer } from './http-client.js';

/** A page of 1000 list entries is 300 KB; block locations of a file of 10 000 blocks are 5 MB. */
export const jsonMaxBytes = 32 * 1024 * 1024;
/** A RemoteException with its stack trace is 2 KB. */
const errorMaxBytes = 64 * 1024;

/** The whole body, or undefined when it is longer than `maxBytes`; then the rest is not read. */
export async function readLimited(
  answer: HttpAnswer,
  maxBytes: number,
): Promise<Buffer | undefined> {
  const { body } = answer;
  if (Number(answer.headers['content-length'] ?? 0) > maxBytes) {
    body.destroy();
    return undefined;
  }
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    // Leaving the loop destroys the body.
    if (sizeBytes > maxBytes) {
      return undefined;
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The body of an error as text; of an oversized one nothing, since the status says the rest. Never throws. */
export async function readErrorText(answer: HttpAnswer): Promise<string> {
  try {
    return (await readLimited(answer, errorMaxBytes))?.toString() ?? '';
  } catch {
    // The connection broke while the server explained itself.
    return '';
  }
}
