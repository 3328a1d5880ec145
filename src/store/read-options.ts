// What every question to a store takes; apart, because both the interface of a store and its capabilities need it.

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface ReadBytesOptions extends ReadOptions {
  /**
   * At least as long as what is read. The answer may be a view of its beginning, which spares memory for it. Nothing is written there
   * after the promise has settled, in whatever way.
   */
  readonly into?: Uint8Array | undefined;
}
