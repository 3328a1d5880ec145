// Where on the guest's disks the bytes of its clean page cache should lie, as far as the kernel's structures say: the
// file and the page in it, or the very blocks where the file system keeps them with the page.
//
// This proves nothing: the kernel may hold newer bytes than the disk, and a damaged image may say anything. Who asks
// must compare the bytes, and a page that is left out here is only a page that cannot be compared.
import { Inconsistency } from '../inconsistency.js';
import type { Kernel } from '../kernel/kernel.js';
import { endPfn, pageSizeBytes, type Pfn } from '../memory/physical-memory.js';
import { BufferHeads, noBlocks } from '../mm/cache/buffer-heads.js';
import { DiskFiles, noFile, type Volume } from '../mm/cache/disk-files.js';
import { blockDeviceFileSystem } from '../mm/cache/mapping.js';
import { type Memmap, openMemmap } from '../mm/memmap.js';
import { pageFlagMasks } from '../mm/page-flags.js';
import { type PageLayout, pageLayout } from '../mm/page-layout.js';
import { labelNumbers, type PageLabel } from '../page-class.js';
import { ParsError } from '../pars-error.js';

export type { Volume } from '../mm/cache/disk-files.js';

/** Columns: a row per page ascending by `page`, a row per file, and the volumes that the files are on. */
export interface FilePlaces {
  /** Index of the page in the image of guest RAM. */
  readonly page: Uint32Array;
  /** The page's label number. */
  readonly label: Uint8Array;
  /** Row of its file. */
  readonly file: Uint32Array;
  /** The page's position in the file, in pages; on a block device the position on the volume. */
  readonly pageInFile: Uint32Array;
  /** Where its bytes begin on the volume, by its buffers; -1 where they do not say it. */
  readonly bufferOffsetBytes: Float64Array;
  /** By file: inode number; 0 for a block device's own cache. */
  readonly fileInode: Float64Array;
  /** By file: index into `volumes`. */
  readonly fileVolume: Uint32Array;
  readonly volumes: readonly Volume[];
}

/** Pages with these labels are looked for. */
export const placedLabels = [
  'file-reread',
  'file-clean',
  'block-device',
] as const satisfies readonly PageLabel[];

/** File systems that keep struct buffer_head in `private`. Others keep something else there (xfs: fs/iomap). */
const bufferHeadFileSystems = new Set(['ext2', 'ext3', 'ext4']);
/** Struct pages per read of the memmap: 256 KiB, as where labels are made. */
const pagesPerRead = 4096;
const largestOrder = 18;
const isPlaced = new Uint8Array(256);
for (const label of placedLabels) {
  isPlaced[labelNumbers[label]] = 1;
}

/** Never throws for what the guest's memory holds; where the structures do not add up, pages are left out. */
export function findFilePlaces(kernel: Kernel, labels: Uint8Array): FilePlaces {
  const finder = new PlaceFinder(kernel, labels);
  try {
    finder.run();
  } catch (error) {
    // What was not foreseen too: it costs the places of the pages after it.
    if (error instanceof ParsError) {
      throw error;
    }
  }
  return finder.places();
}

/** Over the lower half of a head's flags. */
interface HeadMasks {
  readonly head: number;
  readonly private: number;
  /** Dirty, locked or under writeback, which a device's own pages may be whatever their label. */
  readonly busy: number;
}

/** A page by itself, or a folio of several: what its pages have in common. */
interface Folio {
  start: Pfn;
  end: Pfn;
  file: number;
  /** The first page's position in the file, in pages. */
  pageInFile: number;
  hasBuffers: boolean;
}

class PlaceFinder {
  readonly #kernel: Kernel;
  readonly #labels: Uint8Array;
  readonly #files: DiskFiles;
  readonly #buffers: BufferHeads;
  readonly #page: Uint32Array;
  readonly #label: Uint8Array;
  readonly #file: Uint32Array;
  readonly #pageInFile: Uint32Array;
  readonly #bufferOffsetBytes: Float64Array;
  #count = 0;
  readonly #folio: Folio = { start: 0, end: 0, file: noFile, pageInFile: 0, hasBuffers: false };

  constructor(kernel: Kernel, labels: Uint8Array) {
    this.#kernel = kernel;
    this.#labels = labels;
    this.#files = new DiskFiles(kernel);
    this.#buffers = new BufferHeads(kernel);
    let capacity = 0;
    for (const label of labels) {
      capacity += isPlaced[label];
    }
    this.#page = new Uint32Array(capacity);
    this.#label = new Uint8Array(capacity);
    this.#file = new Uint32Array(capacity);
    this.#pageInFile = new Uint32Array(capacity);
    this.#bufferOffsetBytes = new Float64Array(capacity);
  }

  places(): FilePlaces {
    const { inode, volume, volumes } = this.#files;
    return {
      page: this.#page.subarray(0, this.#count),
      label: this.#label.subarray(0, this.#count),
      file: this.#file.subarray(0, this.#count),
      pageInFile: this.#pageInFile.subarray(0, this.#count),
      bufferOffsetBytes: this.#bufferOffsetBytes.subarray(0, this.#count),
      fileInode: Float64Array.from(inode),
      fileVolume: Uint32Array.from(volume),
      volumes: volumes.map(({ fileSystem, disk, startBytes, blockSizeBytes }) => ({
        fileSystem,
        disk,
        startBytes,
        blockSizeBytes,
      })),
    };
  }

  run(): void {
    if (this.#page.length === 0) {
      return;
    }
    const kernel = this.#kernel;
    const { regions } = kernel.physical;
    const memmap = openMemmap(kernel, endPfn(regions));
    const layout = pageLayout(kernel.btf);
    const { head, busy } = pageFlagMasks(kernel.btf);
    const masks: HeadMasks = {
      head,
      busy,
      private: maskOf(kernel.btf.enumeration('pageflags')?.get('PG_private')),
    };
    const largestCount = Math.min(pagesPerRead, endPfn(regions));
    const words = new Int32Array(largestCount * layout.strideWords);
    for (const { gpaStart, sizeBytes, imageOffset } of regions) {
      const firstPfn = gpaStart / pageSizeBytes;
      const lastPfn = firstPfn + sizeBytes / pageSizeBytes;
      const pageOffset = imageOffset / pageSizeBytes - firstPfn;
      this.#folio.end = 0;
      for (let pfn = firstPfn; pfn < lastPfn;) {
        // Reads end where folios may begin, so a head and the struct page after it come together.
        const end = Math.min(pfn - (pfn % pagesPerRead) + pagesPerRead, lastPfn);
        if (this.#anyPlaced(pageOffset + pfn, pageOffset + end)) {
          const count = end - pfn;
          if (readStructPages(memmap, pfn, words, count)) {
            this.#read(words, layout, masks, pfn, count, pageOffset + pfn);
          }
        }
        pfn = end;
      }
    }
  }

  #anyPlaced(from: number, to: number): boolean {
    for (let page = from; page < to; page++) {
      if (isPlaced[this.#labels[page]] === 1) {
        return true;
      }
    }
    return false;
  }

  #read(
    words: Int32Array,
    layout: PageLayout,
    masks: HeadMasks,
    firstPfn: Pfn,
    count: number,
    firstPage: number,
  ): void {
    const stride = layout.strideWords;
    const folio = this.#folio;
    for (let index = 0; index < count; index++) {
      const label = this.#labels[firstPage + index];
      if (isPlaced[label] === 0) {
        continue;
      }
      const pfn = firstPfn + index;
      const base = index * stride;
      const isTail = (words[base + layout.compoundHead] & 1) !== 0;
      if (!isTail) {
        const flags = words[base + layout.flags];
        const isHead = (flags & masks.head) !== 0;
        const order = isHead ? orderOf(words, layout, base + stride, index + 1 < count, pfn) : 0;
        if (order === undefined || (flags & masks.busy) !== 0) {
          folio.end = 0;
        } else {
          this.#open(words, layout, base, pfn, order, (flags & masks.private) !== 0);
        }
      }
      // A tail outside the folio met last has no head that is known.
      if (pfn >= folio.end || pfn < folio.start) {
        continue;
      }
      const pageInFile = folio.pageInFile + pfn - folio.start;
      if (folio.file === noFile || pageInFile > 0xffff_ffff) {
        continue;
      }
      const row = this.#count++;
      this.#page[row] = firstPage + index;
      this.#label[row] = label;
      this.#file[row] = folio.file;
      this.#pageInFile[row] = pageInFile;
      this.#bufferOffsetBytes[row] = folio.hasBuffers
        ? this.#buffers.offsetBytes[pfn - folio.start]
        : noBlocks;
    }
  }

  /** Begins the folio whose head's struct page stands at `base`. */
  #open(
    words: Int32Array,
    layout: PageLayout,
    base: number,
    pfn: Pfn,
    order: number,
    isPrivate: boolean,
  ): void {
    const folio = this.#folio;
    const pageCount = 2 ** order;
    folio.start = pfn;
    folio.end = pfn + pageCount;
    folio.file = this.#files.find(
      words[base + layout.mapping] >>> 0,
      words[base + layout.mapping + 1] >>> 0,
    );
    folio.pageInFile =
      (words[base + layout.index + 1] >>> 0) * 2 ** 32 + (words[base + layout.index] >>> 0);
    folio.hasBuffers = false;
    if (folio.file === noFile) {
      return;
    }
    const { fileSystem, device } = this.#files.volumes[this.#files.volume[folio.file]];
    if (isPrivate && bufferHeadFileSystems.has(fileSystem) && this.#buffers.knows(pageCount)) {
      const low = BigInt(words[base + layout.private] >>> 0);
      const high = BigInt(words[base + layout.private + 1] >>> 0);
      this.#buffers.read((high << 32n) | low, pageCount, device);
      folio.hasBuffers = true;
    }
  }
}

/** Whether a volume is a block device's own cache: a page's place in the file is then its place on the volume. */
export function isDeviceItself(volume: Volume): boolean {
  return volume.fileSystem === blockDeviceFileSystem;
}

/** Order of the folio, from the struct page after its head's; undefined where that is not one. */
function orderOf(
  words: Int32Array,
  layout: PageLayout,
  second: number,
  secondIsThere: boolean,
  pfn: Pfn,
): number | undefined {
  const order = secondIsThere
    ? (words[second + layout.order.word] >>> layout.order.shift) & 0xff
    : 0;
  return order === 0 || order > largestOrder || pfn % 2 ** order !== 0 ? undefined : order;
}

function maskOf(bit: number | undefined): number {
  return bit === undefined || bit < 0 || bit > 31 ? 0 : 1 << bit;
}

/** Fills `words`; false when the memmap is not mapped there. */
function readStructPages(memmap: Memmap, pfn: Pfn, words: Int32Array, count: number): boolean {
  try {
    memmap.read(pfn, new Uint8Array(words.buffer, 0, count * memmap.structPageBytes));
    return true;
  } catch (error) {
    if (error instanceof Inconsistency) {
      return false;
    }
    throw error;
  }
}
