// The hashes of all pages that some packs hold, apart from their bytes.

export interface PackHashes {
  /** Number of the first pack, as its name has it; the others follow. */
  readonly firstPack: number;
  /** For each pack the hashes of its pages, in the order of its frames, 16 bytes each (page-hash.ts). */
  readonly packs: readonly Uint8Array[];
}
