// Proves of cached pages that a disk of the VM holds the very same bytes: every page that has a place there is compared.
// The disk must be of the same moment as the memory, as it is while the VM is stopped.
//
// Pages go in batches by their place in RAM; within a batch they are read in the order in which they lie on the disk.
import { setImmediate } from 'node:timers/promises';
import { type DiskHeldPages, heldHashBytes } from '../../introspect/disk-held.js';
import { type FilePlaces, placedLabels } from '../../introspect/heal/file-places.js';
import { pageSizeBytes, type PhysicalMemory } from '../../introspect/memory/physical-memory.js';
import { labelNumbers } from '../../introspect/page-class.js';
import { pageHash } from '../../introspect/page-hash.js';
import type { OnProgress } from '../flow/progress.js';
import { readBytes, readInDiskOrder, rowsAtOnce } from './disk-order.js';
import type { GuestDisk } from './guest-disks.js';
import { locatePages } from './locate-pages.js';
import { ProofBudget } from './proof-budget.js';

export interface ProofRequest {
  readonly memory: PhysicalMemory;
  readonly places: FilePlaces;
  readonly disks: readonly GuestDisk[];
  /** What it may cost; one of its own by default. */
  readonly budget?: ProofBudget;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** How many of the pages with a label a disk was found to hold. */
export interface ProofCount {
  readonly label: (typeof placedLabels)[number];
  /** Pages with the label whose file and disk are known. */
  readonly pageCount: number;
  /** Pages with the label whose place on a disk is known too. */
  readonly comparedPageCount: number;
  readonly heldPageCount: number;
}

export interface ProvenPages {
  readonly held: DiskHeldPages;
  readonly counts: readonly ProofCount[];
  /** What kept pages from being compared, each a sentence. */
  readonly warnings: readonly string[];
}

/** Throws what reading the image throws, and the signal's reason. */
export async function provePages(request: ProofRequest): Promise<ProvenPages> {
  const { places, disks, budget = new ProofBudget(), signal, onProgress } = request;
  const located = await locatePages(places, disks, signal, budget);
  const { offsetBytes, volumeDisk } = located;
  const held = new HeldColumns();
  const proof = new Proof(request, budget, offsetBytes, volumeDisk);
  for (let first = 0; first < places.page.length; first += rowsAtOnce) {
    const end = Math.min(first + rowsAtOnce, places.page.length);
    await proof.compare(first, end, held, (rowCount) => {
      onProgress?.({
        phase: 'comparing the page cache with the disk',
        doneBytes: rowCount * pageSizeBytes,
        totalBytes: places.page.length * pageSizeBytes,
      });
    });
  }
  const columns = held.join();
  return {
    held: {
      disks: disks.map(({ name, image }) => ({ name, sizeBytes: image.sizeBytes })),
      ...columns,
    },
    counts: countByLabel(places, offsetBytes, columns.page),
    warnings: [...located.warnings, ...proof.warnings(), ...unusedDisks(places, volumeDisk, disks)],
  };
}

class Proof {
  readonly #request: ProofRequest;
  readonly #offsetBytes: Float64Array;
  readonly #volumeDisk: Int16Array;
  readonly #buffer = Buffer.allocUnsafe(readBytes);
  readonly #ram = Buffer.allocUnsafe(pageSizeBytes);
  readonly #budget: ProofBudget;
  /** Disks whose comparison was ended. */
  readonly #ended = new Set<string>();

  constructor(
    request: ProofRequest,
    budget: ProofBudget,
    offsetBytes: Float64Array,
    volumeDisk: Int16Array,
  ) {
    this.#request = request;
    this.#budget = budget;
    this.#offsetBytes = offsetBytes;
    this.#volumeDisk = volumeDisk;
  }

  async compare(
    first: number,
    end: number,
    held: HeldColumns,
    onRows: (rowCount: number) => void,
  ): Promise<void> {
    const { memory, places, disks, signal } = this.#request;
    const isHeld = new Uint8Array(end - first);
    const hashes = new Uint8Array((end - first) * heldHashBytes);
    let doneCount = first;
    for (const [disk, { name, image }] of disks.entries()) {
      const rows = this.#ended.has(name) ? new Uint32Array() : this.#rowsOn(disk, first, end);
      let sinceMs = performance.now();
      for (const read of readInDiskOrder(image, rows, this.#offsetBytes, this.#buffer)) {
        for (const row of read.rows) {
          const bytes = read.bytesOf(row);
          memory.readImage(places.page[row] * pageSizeBytes, this.#ram);
          if (bytes !== undefined && this.#ram.equals(bytes)) {
            isHeld[row - first] = 1;
            hashes.set(pageHash(this.#ram), (row - first) * heldHashBytes);
          }
        }
        doneCount += read.rows.length;
        onRows(doneCount);
        // All of this is synchronous; the rest of the program wants its turn.
        await setImmediate();
        signal?.throwIfAborted();
        const nowMs = performance.now();
        if (!this.#budget.mayCompare(name, places.page.length, nowMs - sinceMs)) {
          this.#ended.add(name);
          break;
        }
        sinceMs = nowMs;
      }
    }
    onRows(end);
    held.add(first, isHeld, hashes, this.#offsetBytes, places, this.#volumeDisk);
  }

  /** What was not compared. */
  warnings(): readonly string[] {
    return [...this.#ended].map(
      (name) =>
        `not all cached pages of ${name} are held against the disk: reading them there has taken all the time that it may take`,
    );
  }

  #rowsOn(disk: number, first: number, end: number): Uint32Array {
    const { file, fileVolume } = this.#request.places;
    const rows = new Uint32Array(end - first);
    let count = 0;
    for (let row = first; row < end; row++) {
      if (this.#offsetBytes[row] >= 0 && this.#volumeDisk[fileVolume[file[row]]] === disk) {
        rows[count++] = row;
      }
    }
    return rows.subarray(0, count);
  }
}

/** Columns that grow by whole batches. */
class HeldColumns {
  readonly #page: Uint32Array[] = [];
  readonly #disk: Uint8Array[] = [];
  readonly #offsetBytes: Float64Array[] = [];
  readonly #hash: Uint8Array[] = [];

  add(
    first: number,
    isHeld: Uint8Array,
    hashes: Uint8Array,
    offsetBytes: Float64Array,
    { page, file, fileVolume }: FilePlaces,
    volumeDisk: Int16Array,
  ): void {
    const count = isHeld.reduce((sum, flag) => sum + flag, 0);
    const pages = new Uint32Array(count);
    const disks = new Uint8Array(count);
    const offsets = new Float64Array(count);
    const kept = new Uint8Array(count * heldHashBytes);
    let at = 0;
    for (let index = 0; index < isHeld.length; index++) {
      if (isHeld[index] === 1) {
        const row = first + index;
        pages[at] = page[row];
        disks[at] = volumeDisk[fileVolume[file[row]]];
        offsets[at] = offsetBytes[row];
        kept.set(
          hashes.subarray(index * heldHashBytes, (index + 1) * heldHashBytes),
          at * heldHashBytes,
        );
        at++;
      }
    }
    this.#page.push(pages);
    this.#disk.push(disks);
    this.#offsetBytes.push(offsets);
    this.#hash.push(kept);
  }

  join(): Omit<DiskHeldPages, 'disks'> {
    const count = this.#page.reduce((sum, { length }) => sum + length, 0);
    return {
      page: joined(this.#page, new Uint32Array(count)),
      disk: joined(this.#disk, new Uint8Array(count)),
      offsetBytes: joined(this.#offsetBytes, new Float64Array(count)),
      hash: joined(this.#hash, new Uint8Array(count * heldHashBytes)),
    };
  }
}

function joined<T extends Uint8Array | Uint32Array | Float64Array>(
  parts: readonly T[],
  target: T,
): T {
  let at = 0;
  for (const part of parts) {
    target.set(part, at);
    at += part.length;
  }
  return target;
}

function countByLabel(
  { page, label }: FilePlaces,
  offsetBytes: Float64Array,
  heldPages: Uint32Array,
): readonly ProofCount[] {
  const all = new Uint32Array(256);
  const compared = new Uint32Array(256);
  const held = new Uint32Array(256);
  let next = 0;
  for (let row = 0; row < page.length; row++) {
    all[label[row]]++;
    compared[label[row]] += offsetBytes[row] >= 0 ? 1 : 0;
    if (heldPages[next] === page[row]) {
      held[label[row]]++;
      next++;
    }
  }
  return placedLabels.map((name) => ({
    label: name,
    pageCount: all[labelNumbers[name]],
    comparedPageCount: compared[labelNumbers[name]],
    heldPageCount: held[labelNumbers[name]],
  }));
}

function unusedDisks(
  { volumes }: FilePlaces,
  volumeDisk: Int16Array,
  disks: readonly GuestDisk[],
): readonly string[] {
  const names = [...new Set(volumes.map(({ disk }) => disk))].sort();
  return disks
    .filter((_, disk) => !volumeDisk.includes(disk))
    .map(
      ({ name, image }) =>
        `${image.path} holds nothing that is proven: the guest has no file of ${name} in memory, ` +
        (names.length === 0 ? 'nor of any other disk' : `but of ${names.join(', ')}`),
    );
}
