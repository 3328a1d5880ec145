// The files of page hashes beside the packs. A file is written when all packs that it is about are, so that what waits in memory
// stays bounded: packs are written nearly in their order.
import { createHash } from 'node:crypto';
import { hashesName } from '../catalog/names.js';
import type { HashedFile } from '../manifest/types.js';
import { encodeHashes } from '../pack/hashes/encode.js';
import { packsPerHashFile } from '../pack/hashes/layout.js';
import { defaultBlockSizeBytes } from '../pack/layout.js';
import { copies } from '../store/redundancy.js';
import type { Store } from '../store/store.js';

/** Without them less is shared, and nothing is lost. */
export const hashReplication = 1;

export interface HashFilesRequest {
  readonly store: Store;
  readonly id: string;
  readonly packCount: number;
  readonly signal: AbortSignal;
}

export class HashFiles {
  readonly #request: HashFilesRequest;
  /** By the number of the first pack. */
  readonly #waiting = new Map<number, Map<number, Uint8Array>>();
  readonly #written = new Map<number, HashedFile>();

  constructor(request: HashFilesRequest) {
    this.#request = request;
  }

  /** The hashes of a pack that is written. Resolves once they are too, or wait for other packs. */
  async add(pack: number, hashes: Uint8Array): Promise<void> {
    const firstPack = pack - (pack % packsPerHashFile);
    const count = Math.min(packsPerHashFile, this.#request.packCount - firstPack);
    const waiting = this.#waiting.get(firstPack) ?? new Map<number, Uint8Array>();
    this.#waiting.set(firstPack, waiting.set(pack, hashes));
    if (waiting.size === count) {
      this.#waiting.delete(firstPack);
      const packs = Array.from(
        { length: count },
        (_, index) => waiting.get(firstPack + index) ?? new Uint8Array(),
      );
      this.#written.set(firstPack, await this.#write(firstPack, packs));
    }
  }

  /** By pack. */
  written(): readonly HashedFile[] {
    return [...this.#written].sort(([a], [b]) => a - b).map(([, file]) => file);
  }

  async #write(firstPack: number, packs: readonly Uint8Array[]): Promise<HashedFile> {
    const { store, id, signal } = this.#request;
    const name = hashesName(id, firstPack);
    const bytes = encodeHashes({ firstPack, packs });
    const sizeBytes = await store.write(name, () => [bytes], {
      redundancy: copies(hashReplication),
      blockSizeBytes: defaultBlockSizeBytes,
      nameTells: 'nothing',
      signal,
    });
    return { name, sizeBytes, sha256: createHash('sha256').update(bytes).digest() };
  }
}
