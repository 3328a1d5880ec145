// Where a file's bytes lie on its volume: runs that ascend by their place in the file. What is in no run is a hole, or
// not known.

/** More runs than this are kept of no file: a hundred thousand are an unusually broken file. */
const runLimit = 2 ** 20;

export class Extents {
  readonly #fileOffsetBytes: number[] = [];
  readonly #volumeOffsetBytes: number[] = [];
  readonly #sizeBytes: number[] = [];
  #endBytes = 0;

  /** False, with nothing added, when the run does not lie behind the last one, or is none. All in bytes. */
  add(fileOffsetBytes: number, volumeOffsetBytes: number, sizeBytes: number): boolean {
    const last = this.#sizeBytes.length - 1;
    if (
      fileOffsetBytes < this.#endBytes ||
      volumeOffsetBytes < 0 ||
      sizeBytes <= 0 ||
      last >= runLimit ||
      !Number.isSafeInteger(fileOffsetBytes + sizeBytes) ||
      !Number.isSafeInteger(volumeOffsetBytes + sizeBytes)
    ) {
      return false;
    }
    const goesOn =
      last >= 0 &&
      fileOffsetBytes === this.#endBytes &&
      volumeOffsetBytes === this.#volumeOffsetBytes[last] + this.#sizeBytes[last];
    if (goesOn) {
      this.#sizeBytes[last] += sizeBytes;
    } else {
      this.#fileOffsetBytes.push(fileOffsetBytes);
      this.#volumeOffsetBytes.push(volumeOffsetBytes);
      this.#sizeBytes.push(sizeBytes);
    }
    this.#endBytes = fileOffsetBytes + sizeBytes;
    return true;
  }

  /** Where so many bytes of the file begin on the volume; undefined where they do not lie there in one piece. */
  find(fileOffsetBytes: number, sizeBytes: number): number | undefined {
    let low = 0;
    let high = this.#fileOffsetBytes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#fileOffsetBytes[middle] <= fileOffsetBytes) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    const run = low - 1;
    if (run < 0) {
      return undefined;
    }
    const skipped = fileOffsetBytes - this.#fileOffsetBytes[run];
    return skipped + sizeBytes <= this.#sizeBytes[run]
      ? this.#volumeOffsetBytes[run] + skipped
      : undefined;
  }
}
