// How long a file would be as the `lz4` program makes it when it is told nothing: an LZ4 frame of blocks of 4 MiB that do
// not refer to each other, with a checksum over all (LZ4 Frame Format Description 1.6.4).

export const lz4BlockSizeBytes = 4 * 2 ** 20;

/** Magic, flags, block size, and the header's checksum; at the end an empty block, and the content's checksum. */
const frameBytes = 4 + 1 + 1 + 1 + 4 + 4;
const blockHeaderBytes = 4;

/** What a block of the file takes in it, given its length under LZ4: what does not shrink is stored as it is. */
export function lz4StoredBytes(packedBytes: number, rawBytes: number): number {
  return blockHeaderBytes + Math.min(packedBytes, rawBytes);
}

/** The file, given what its blocks take. */
export function lz4FileBytes(blocksBytes: number): number {
  return frameBytes + blocksBytes;
}
