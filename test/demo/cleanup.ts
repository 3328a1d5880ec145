// What has to be undone at the end, last thing first, whether the end is the planned one or not.

export class Cleanup {
  readonly #pending: (() => Promise<void>)[] = [];

  /** `undo` may have nothing left to do by then; it must not mind. */
  add(undo: () => Promise<void>): void {
    this.#pending.push(undo);
  }

  /** Each is undone once, however often this is called. */
  async run(): Promise<void> {
    for (let undo = this.#pending.pop(); undo !== undefined; undo = this.#pending.pop()) {
      await undo();
    }
  }
}
