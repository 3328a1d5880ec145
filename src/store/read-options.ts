// What every question to a store takes; apart, because both the interface of a store and its capabilities need it.

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  /**
   * Only `read` looks at it: memory of as many bytes as are asked for, or more, that the answer may be put into. What is
   * returned is then a view of it, anywhere in it, and the rest of it may hold anything, as all of it does after a failure.
   * A store may as well return memory of its own. Nothing is put into it once the read has ended. With less memory than is
   * asked for, the read is refused as `usage`.
   */
  readonly into?: Uint8Array | undefined;
  /**
   * Only `read` looks at it: whoever reads holds the bytes against checksums of their own, and reads again without this where they
   * differ. Then a store may leave out its own, and give bytes that are not those written where it would have taken another copy.
   */
  readonly isCheckedByReader?: boolean | undefined;
}
