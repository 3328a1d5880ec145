// In how much time anything at all was under way, of things that overlap: two that run beside each other for a second take one second.

export class BusyTime {
  #underWayCount = 0;
  /** Since when something is under way, or the last of several ended. */
  #countedToMs = 0;

  /** One more begins. Moments are of one clock, in milliseconds, and never go back. */
  begin(nowMs: number): void {
    if (this.#underWayCount === 0) {
      this.#countedToMs = nowMs;
    }
    this.#underWayCount++;
  }

  /** One ends. Returns the milliseconds in which something was under way that no other end was told. */
  end(nowMs: number): number {
    const busyMs = nowMs - this.#countedToMs;
    this.#countedToMs = nowMs;
    this.#underWayCount--;
    return busyMs;
  }
}
