// Content as a worker thread sends it, here without a thread: what crosses is cloned as it would be, and nothing else does.

import { ParsError } from '../../../introspect/pars-error.js';
import { openSink } from '../../../src/store/hdfs/transfer/block-sink.js';
import type { Content } from '../../../src/store/threads/content.js';
import { SinkFailure } from '../../../src/store/threads/sink.js';

/** In pieces of `pieceBytes`. `onStart` is called for each attempt. Fails where it is asked for as a stream. */
export function contentInThread(
  bytes: Uint8Array,
  pieceBytes: number,
  onStart: () => void = () => undefined,
): Content {
  const stream = (): never => {
    throw new Error('the content was to be sent from a thread');
  };
  return Object.assign(stream, {
    inThread: {
      send: async (
        { settings }: { readonly settings: unknown },
        signal: AbortSignal | undefined,
      ) => {
        onStart();
        const sink = openSink(structuredClone(settings), signal ?? new AbortController().signal);
        try {
          for (let at = 0; at < bytes.length; at += pieceBytes) {
            const piece = bytes.subarray(at, at + pieceBytes);
            (await sink.room(piece.length)).set(piece);
            await sink.took(piece.length);
          }
          await sink.finish();
          return bytes.length;
        } catch (error) {
          throw error instanceof ParsError
            ? new SinkFailure(error.code, error.message, structuredClone(sink.detailOf(error)))
            : error;
        } finally {
          sink.close();
        }
      },
    },
  });
}
