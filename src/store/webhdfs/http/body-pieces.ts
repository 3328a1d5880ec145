// What is sent, in pieces of a size that suits: small chunks are gathered, since each piece costs a system call and a line of
// chunked encoding, and large ones are cut, so that it is seen how much of them was taken.

/** Enough to fill a 10 Gbit/s link's latency, small enough not to matter beside a pack. */
export const pieceSizeBytes = 512 * 1024;

/** Each piece stays as it is until the next one is asked for, and is of `pieceSizeBytes` but for the last. */
export async function* piecesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let gathered: Uint8Array | undefined;
  let gatheredBytes = 0;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length;) {
      const piece = chunk.subarray(at, at + pieceSizeBytes - gatheredBytes);
      at += piece.length;
      if (piece.length === pieceSizeBytes) {
        yield piece;
        continue;
      }
      gathered ??= Buffer.allocUnsafeSlow(pieceSizeBytes);
      gathered.set(piece, gatheredBytes);
      gatheredBytes += piece.length;
      if (gatheredBytes === pieceSizeBytes) {
        yield gathered;
        gatheredBytes = 0;
      }
    }
  }
  if (gathered !== undefined && gatheredBytes > 0) {
    yield gathered.subarray(0, gatheredBytes);
  }
}
