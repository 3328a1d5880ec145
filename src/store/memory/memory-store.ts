// The store in memory, for tests and simulations: as quick as can be, with nodes that come and go (cluster.ts), and gone with
// its process. It keeps the same contract as the others, and nothing for anybody.

import { ParsError } from '../../../introspect/pars-error.js';
import { checkNotAborted, chunksUntilAborted } from '../abort.js';
import type { StoreCapabilities } from '../capabilities.js';
import { answerMemory, checkRange } from '../check-range.js';
import { copiesToWrite, copyCountOf } from '../check-write.js';
import type { ReadOptions } from '../read-options.js';
import type { Store, StoredFile } from '../store.js';
import { checkStoreFolder, checkStoreName } from '../store-name.js';
import { type MemoryCluster, memoryCluster, nodeName } from './cluster.js';
import type { MemoryEntry, MemoryFile } from './tree.js';
import { parseMemoryUrl } from './url.js';

/** Throws `usage` for another URL. What the store of that name has is there already. */
export function openMemoryStore(url: string): Promise<Store> {
  // In a promise, so that a wrong URL fails as it does for the other kinds.
  return Promise.resolve(url).then(
    (text) => new MemoryStore(text, memoryCluster(parseMemoryUrl(text))),
  );
}

class MemoryStore implements Store {
  readonly url: string;
  /** A copy comes back with its node only. */
  readonly copiesComeLater = false;
  readonly can: StoreCapabilities = {
    raiseRedundancy: async (name, redundancy, options) => {
      checkStoreName(name);
      const copyCount = copyCountOf(name, redundancy);
      this.#raise(name, await this.#file(name, options), copyCount);
    },
  };
  readonly #cluster: MemoryCluster;

  constructor(url: string, cluster: MemoryCluster) {
    this.url = url;
    this.#cluster = cluster;
  }

  readonly write: Store['write'] = async (name, content, options) => {
    checkStoreName(name);
    const { copyCount, blockSizeBytes, signal } = copiesToWrite(name, options);
    const doing = `writing ${name}`;
    checkNotAborted(signal, doing);
    const { tree } = this.#cluster;
    tree.expectFree(name);
    const chunks: Uint8Array[] = [];
    let sizeBytes = 0;
    for await (const chunk of chunksUntilAborted(content(), signal, doing)) {
      sizeBytes += chunk.length;
      if (sizeBytes > blockSizeBytes) {
        throw new ParsError(
          'usage',
          `${name}: a file must fit into its block of ${blockSizeBytes} bytes, found ${sizeBytes} or more`,
        );
      }
      // Whoever made it may use its memory again.
      chunks.push(new Uint8Array(chunk));
    }
    checkNotAborted(signal, doing);
    const nodeNumbers = this.#cluster.liveNodesFor(name).slice(0, copyCount);
    if (nodeNumbers.length === 0) {
      throw new ParsError('unavailable', `${doing}: all nodes are away; bring one back`);
    }
    const bytes = Buffer.concat(chunks);
    tree.add(name, { kind: 'file', bytes, modifiedMs: Date.now(), nodeNumbers });
    return sizeBytes;
  };

  readonly read: Store['read'] = async (name, offsetBytes, sizeBytes, options) => {
    const { bytes, nodeNumbers } = await this.#file(name, options);
    checkRange(name, offsetBytes, sizeBytes, bytes.length);
    if (sizeBytes > 0 && this.#alive(nodeNumbers).length === 0) {
      throw allAway(name, nodeNumbers);
    }
    const answer = answerMemory(name, sizeBytes, options?.into);
    answer.set(bytes.subarray(offsetBytes, offsetBytes + sizeBytes));
    return answer;
  };

  readonly blocks: Store['blocks'] = async (name, options) => {
    const { bytes, nodeNumbers } = await this.#file(name, options);
    if (bytes.length === 0) {
      return [];
    }
    const locations = this.#alive(nodeNumbers).map(nodeName);
    return [{ offsetBytes: 0, sizeBytes: bytes.length, locations, unreachable: [] }];
  };

  readonly storedBytes: Store['storedBytes'] = async (name, options) => {
    const { bytes, nodeNumbers } = await this.#file(name, options);
    return bytes.length * nodeNumbers.length;
  };

  readonly stat: Store['stat'] = async (name, options) => {
    checkStoreName(name);
    await beginning(`looking up ${name}`, options);
    const entry = this.#cluster.tree.lookUp(name);
    return entry === undefined ? undefined : storedFile(name, entry);
  };

  readonly list: Store['list'] = async (folder, options) => {
    checkStoreFolder(folder);
    await beginning(`listing ${folder}`, options);
    const entry = this.#cluster.tree.lookUp(folder);
    if (entry?.kind !== 'folder') {
      return [];
    }
    const prefix = folder === '' ? '' : `${folder}/`;
    return [...entry.children]
      .map(([child, below]) => storedFile(prefix + child, below))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  };

  readonly rename: Store['rename'] = async (from, to, options) => {
    checkStoreName(from);
    checkStoreName(to);
    await beginning(`renaming ${from} to ${to}`, options);
    this.#cluster.tree.move(from, to);
  };

  readonly remove: Store['remove'] = async (name, options) => {
    checkStoreName(name);
    await beginning(`removing ${name}`, options);
    this.#cluster.tree.remove(name, options?.only);
  };

  /** What was stored stays for who opens the name again. */
  readonly close: Store['close'] = () => Promise.resolve();

  #raise(name: string, file: MemoryFile, copyCount: number): void {
    const { nodeNumbers } = file;
    if (nodeNumbers.length >= copyCount) {
      return;
    }
    if (this.#alive(nodeNumbers).length === 0) {
      throw allAway(name, nodeNumbers);
    }
    const others = this.#cluster
      .liveNodesFor(name)
      .filter((nodeNumber) => !nodeNumbers.includes(nodeNumber));
    file.nodeNumbers = [...nodeNumbers, ...others].slice(0, copyCount);
  }

  #alive(nodeNumbers: readonly number[]): readonly number[] {
    return nodeNumbers.filter((nodeNumber) => this.#cluster.isAlive(nodeNumber));
  }

  async #file(name: string, options: ReadOptions | undefined): Promise<MemoryFile> {
    checkStoreName(name);
    await beginning(`reading ${name}`, options);
    const entry = this.#cluster.tree.lookUp(name);
    if (entry?.kind !== 'file') {
      throw new ParsError(
        'not-found',
        `${name}: expected a file, found ${entry === undefined ? 'nothing' : 'a folder'}`,
      );
    }
    return entry;
  }
}

/** A moment, as every other store takes one: what runs beside this call must not rely on none passing. */
async function beginning(doing: string, options: ReadOptions | undefined): Promise<void> {
  await Promise.resolve();
  checkNotAborted(options?.signal, doing);
}

function allAway(name: string, nodeNumbers: readonly number[]): ParsError {
  return new ParsError(
    'data-lost',
    `${name}: none of the nodes that have a copy is there: ${nodeNumbers.map(nodeName).join(', ')}`,
  );
}

function storedFile(name: string, entry: MemoryEntry): StoredFile {
  const { kind, modifiedMs } = entry;
  return { name, kind, sizeBytes: kind === 'file' ? entry.bytes.length : 0, modifiedMs };
}
