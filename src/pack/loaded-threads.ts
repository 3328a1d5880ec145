// Whether the threads of a pool have loaded their modules. A thread that is ended before takes the whole process with it now and then:
// V8 aborts where it evaluates a module with `await` at its top for a thread that is being ended (Node 20.20, one of 1,500 times).
import type { Worker } from 'node:worker_threads';
import type { Piscina } from 'piscina';

/** A thread loads in a tenth of a second. What takes so much longer is not waited for. */
const patienceMs = 30_000;

export class LoadedThreads {
  readonly #piscina: Piscina;
  readonly #loaded = new WeakSet<Worker>();

  /** To be made with the pool, before any thread can have said anything. */
  constructor(piscina: Piscina) {
    this.#piscina = piscina;
    // The pool takes its first threads for ready as soon as it has made them. The first message of each says that it is.
    const first = new Set(piscina.threads);
    for (const thread of first) {
      thread.once('message', () => this.#loaded.add(thread));
    }
    piscina.on('workerCreate', ({ id }: { readonly id: number }) => {
      const thread = piscina.threads.find(({ threadId }) => threadId === id);
      if (thread !== undefined && !first.has(thread)) {
        this.#loaded.add(thread);
      }
    });
  }

  /** Resolves once no thread is loading. */
  async wait(): Promise<void> {
    const loading = this.#piscina.threads.filter((thread) => !this.#loaded.has(thread));
    await Promise.all(loading.map(hasLoaded));
  }
}

async function hasLoaded(thread: Worker): Promise<void> {
  // Else the process could end meanwhile, as idle threads do not hold it.
  thread.ref();
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, patienceMs);
    for (const event of ['message', 'exit']) {
      thread.once(event, () => {
        clearTimeout(timer);
        resolve();
      });
    }
  });
}
