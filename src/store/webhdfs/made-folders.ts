// Folders that were made here, so that it is done once and not for each file.

import { isNotFound } from '../hadoop/namespace.js';
import type { Namespace } from './namespace.js';

export class MadeFolders {
  readonly #namespace: Pick<Namespace, 'makeFolder'>;
  readonly #made = new Set<string>();

  constructor(namespace: Pick<Namespace, 'makeFolder'>) {
    this.#namespace = namespace;
  }

  /** Calls `act` when the folder is there; once more where `not-found` says that somebody removed it meanwhile. */
  async within<T>(
    path: string,
    signal: AbortSignal | undefined,
    act: () => Promise<T>,
  ): Promise<T> {
    if (this.#made.has(path)) {
      try {
        return await act();
      } catch (error) {
        if (!isNotFound(error)) {
          throw error;
        }
        this.#made.delete(path);
      }
    }
    await this.#namespace.makeFolder(path, signal);
    this.#made.add(path);
    return await act();
  }

  /** The next one who needs the folder makes it again: it is not what it was made to be. */
  forget(path: string): void {
    this.#made.delete(path);
  }
}
