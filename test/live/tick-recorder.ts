// The ticks of a guest as they arrive outside of it: a byte each 10 ms. The guest's own clocks stand still with it, so
// how long it stood still shows here and not there.
import type { Socket } from 'node:net';
import { connectWhenThere } from '../guest/socket.js';

const connectTimeoutMs = 10_000;

export interface TickGap {
  /** When it ended, in milliseconds since 1970. */
  readonly atMs: number;
  readonly lengthMs: number;
}

export class TickRecorder {
  readonly #socket: Socket;
  readonly #gaps: TickGap[] = [];
  #lastMs = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', () => {
      const atMs = performance.timeOrigin + performance.now();
      if (this.#lastMs > 0) {
        this.#gaps.push({ atMs, lengthMs: atMs - this.#lastMs });
      }
      this.#lastMs = atMs;
    });
    // Only QEMU dying breaks the connection, and whoever asks the guest next hears of that.
    socket.on('error', () => undefined);
  }

  static async connect(path: string): Promise<TickRecorder> {
    return new TickRecorder(await connectWhenThere(path, connectTimeoutMs));
  }

  /** The gaps that overlap that time. */
  between(fromMs: number, toMs: number): readonly TickGap[] {
    return this.#gaps.filter(({ atMs, lengthMs }) => atMs >= fromMs && atMs - lengthMs <= toMs);
  }

  close(): void {
    this.#socket.destroy();
  }
}
