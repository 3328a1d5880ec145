// What the NameNode said of where files' blocks are, kept for a moment: a pack is read frame by frame. It may be old by that much,
// as the NameNode's own knowledge may be old by minutes: a dead DataNode is listed until its heartbeats have been missing for long
// enough.

const keptMs = 5_000;
const keptCount = 1_000;

export class KeptAnswers<Answer> {
  readonly #kept = new Map<string, { readonly answer: Answer; readonly atMs: number }>();

  /** Keeps the newest; the oldest goes where there are too many. */
  keep(path: string, answer: Answer): void {
    this.#kept.delete(path);
    this.#kept.set(path, { answer, atMs: performance.now() });
    if (this.#kept.size > keptCount) {
      const [oldest] = this.#kept.keys();
      this.#kept.delete(oldest);
    }
  }

  /** An answer of a few seconds ago, or undefined. */
  recent(path: string): Answer | undefined {
    const kept = this.#kept.get(path);
    return kept !== undefined && performance.now() - kept.atMs < keptMs ? kept.answer : undefined;
  }

  /** To be called when the path changes or its locations proved wrong; a folder's files are forgotten with it. */
  forget(path: string): void {
    for (const key of this.#kept.keys()) {
      if (key === path || key.startsWith(`${path}/`)) {
        this.#kept.delete(key);
      }
    }
  }
}
