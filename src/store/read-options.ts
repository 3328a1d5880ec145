// What every question to a store takes; apart, because both the interface of a store and its capabilities need it.

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
}
