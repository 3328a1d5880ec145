// Nodes that failed and are left out for a while, as long as a NameNode goes on naming them (10.5 minutes by default).

/**
 * A restarted DataNode is welcome again soon; one that is switched off or hangs costs a timeout this often, and less
 * often each time: as long as a NameNode goes on naming it.
 */
const firstAvoidanceMs = 30_000;
const maxAvoidanceMs = 600_000;

export class AvoidedNodes {
  readonly #firstMs: number;
  /** By address: until when to avoid it (performance.now()), and for how long. */
  readonly #avoided = new Map<string, { readonly untilMs: number; readonly durationMs: number }>();

  /** `firstMs`: how long at the first time. */
  constructor(firstMs = firstAvoidanceMs) {
    this.#firstMs = firstMs;
  }

  avoid(hostPort: string): void {
    const nowMs = performance.now();
    const before = this.#avoided.get(hostPort);
    // Several requests may fail by the same fault at once.
    if (before !== undefined && nowMs < before.untilMs) {
      return;
    }
    const durationMs = Math.min(maxAvoidanceMs, 2 * (before?.durationMs ?? this.#firstMs / 2));
    this.#avoided.set(hostPort, { untilMs: nowMs + durationMs, durationMs });
  }

  /** Forgets what was held against a node: it has just worked. */
  welcome(hostPort: string): void {
    this.#avoided.delete(hostPort);
  }

  has(hostPort: string): boolean {
    const avoided = this.#avoided.get(hostPort);
    return avoided !== undefined && performance.now() < avoided.untilMs;
  }

  /** The address of each that is avoided now. */
  all(): readonly string[] {
    return [...this.#avoided.keys()].filter((hostPort) => this.has(hostPort));
  }
}
