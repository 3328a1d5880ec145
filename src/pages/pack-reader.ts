// The version of each pack that is read, from its first bytes, checked once: no frame of a pack is believed before.
import { ParsError } from '../../introspect/pars-error.js';
import type { PackEntry } from '../manifest/types.js';
import { decodePackHeader } from '../pack/decode.js';
import { packHeaderSizeBytes } from '../pack/layout.js';
import type { PackVersion } from '../pack/types.js';
import type { ReadOptions } from '../store/read-options.js';
import type { Store } from '../store/store.js';

export interface PackBytes {
  readonly version: PackVersion;
  /** Where `bytes` begins in the pack. */
  readonly startBytes: number;
  readonly bytes: Uint8Array;
}

export class PackReader {
  readonly #store: Store;
  readonly #packs: readonly PackEntry[];
  readonly #versions = new Map<number, Promise<PackVersion>>();

  constructor(store: Store, packs: readonly PackEntry[]) {
    this.#store = store;
    this.#packs = packs;
  }

  nameOf(pack: number): string {
    return this.#packs[pack].name;
  }

  /**
   * At least these bytes of a pack, by index. What stands first behind the header is read with it, so that a pack that is
   * read from its beginning costs no request more. Throws as a store's `read`, and `corrupt` for a header that is not in
   * order. `into` is as a store's, with room for a pack's header more.
   */
  async read(
    pack: number,
    startBytes: number,
    sizeBytes: number,
    options: ReadOptions,
  ): Promise<PackBytes> {
    const { name } = this.#packs[pack];
    const known = this.#versions.get(pack);
    if (startBytes !== packHeaderSizeBytes) {
      const version = known ?? this.#note(pack, this.#readVersion(name, options.signal));
      const bytes = this.#store.read(name, startBytes, sizeBytes, options);
      // Whichever fails, the other must not count as unhandled.
      await Promise.allSettled([version, bytes]);
      return { version: await version, startBytes, bytes: await bytes };
    }
    const whole = this.#store.read(name, 0, packHeaderSizeBytes + sizeBytes, options);
    const version = whole.then((bytes) => versionIn(name, bytes));
    if (known === undefined) {
      void this.#note(pack, version);
    }
    return { version: await version, startBytes: 0, bytes: await whole };
  }

  /** What could not be read may be there at the next try. */
  #note(pack: number, version: Promise<PackVersion>): Promise<PackVersion> {
    this.#versions.set(pack, version);
    version.catch(() => {
      if (this.#versions.get(pack) === version) {
        this.#versions.delete(pack);
      }
    });
    return version;
  }

  async #readVersion(name: string, signal: AbortSignal | undefined): Promise<PackVersion> {
    return versionIn(name, await this.#store.read(name, 0, packHeaderSizeBytes, { signal }));
  }
}

function versionIn(name: string, bytes: Uint8Array): PackVersion {
  try {
    return decodePackHeader(bytes).version;
  } catch (error) {
    // A manifest that is read names packs of versions that are read: a version that is none of them is damage.
    throw error instanceof ParsError
      ? new ParsError('corrupt', `${name}: ${error.message}`, { cause: error })
      : error;
  }
}
