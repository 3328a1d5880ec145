// Where zstd comes from: Node's own (22.15 and later), else the reference implementation in WebAssembly, as @bokuweb/zstd-wasm has
// it. Both are libzstd, and read what the other wrote. Of the packages for older Nodes this is the one whose binary lies inside
// npm for every kind of machine, and that unpacks into as much memory as the frame's header says and never more: addons by
// prebuild-install download theirs, and those of napi-rs unpack for as long as blocks come, whatever the header says.
import zlib from 'node:zlib';

export interface ZstdLibrary {
  /** One frame, which states its content's size, without checksum. May be longer than `bytes`. */
  readonly compress: (bytes: Uint8Array, level: number) => Uint8Array;
  /** Takes memory for `contentBytes` bytes, which is what the frame's header states. Throws for a frame that gives more. */
  readonly decompress: (frame: Uint8Array, contentBytes: number) => Uint8Array;
}

/** What of node:zlib is used; the types of older Nodes do not know it. */
interface ZlibWithZstd {
  readonly zstdCompressSync: (
    bytes: Uint8Array,
    options: {
      readonly chunkSize: number;
      readonly pledgedSrcSize: number;
      readonly params: Readonly<Record<number, number>>;
    },
  ) => Uint8Array;
  readonly zstdDecompressSync: (
    frame: Uint8Array,
    options: { readonly chunkSize: number; readonly maxOutputLength: number },
  ) => Uint8Array;
  readonly constants: { readonly ZSTD_c_compressionLevel: number };
}

/** Undefined where this Node has none. */
export function zstdOfNode(): ZstdLibrary | undefined {
  if (!('zstdCompressSync' in zlib)) {
    return undefined;
  }
  const { zstdCompressSync, zstdDecompressSync, constants } = zlib as unknown as ZlibWithZstd;
  return {
    compress: (bytes, level) =>
      zstdCompressSync(bytes, {
        // In one piece; what does not shrink comes in two, and is thrown away.
        chunkSize: bytes.length,
        pledgedSrcSize: bytes.length,
        params: { [constants.ZSTD_c_compressionLevel]: level },
      }),
    decompress: (frame, contentBytes) =>
      zstdDecompressSync(frame, { chunkSize: contentBytes, maxOutputLength: contentBytes }),
  };
}

export async function zstdOfWebAssembly(): Promise<ZstdLibrary> {
  const { compress, decompress, init } = await import('@bokuweb/zstd-wasm');
  await init();
  return { compress, decompress: (frame) => decompress(frame) };
}

/** Ready when this module is: codecs do not wait. */
export const zstdLibrary: ZstdLibrary = zstdOfNode() ?? (await zstdOfWebAssembly());
