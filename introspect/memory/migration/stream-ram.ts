// The machine's RAM as one run of bytes, read from where the stream has each page.
import type { ImageFile } from '../image-file.js';
import { type ImageExtent, pageSizeBytes } from '../physical-memory.js';
import type { RamBlock } from './types.js';

interface PlacedBlock extends RamBlock {
  readonly imageOffset: number;
}

export class StreamRam {
  readonly sizeBytes: number;
  readonly #file: ImageFile;
  readonly #blocks: readonly PlacedBlock[];

  /** The blocks one after the other, as a machine has them. */
  constructor(file: ImageFile, blocks: readonly RamBlock[]) {
    this.#file = file;
    const placed: PlacedBlock[] = [];
    let imageOffset = 0;
    for (const block of blocks) {
      placed.push({ ...block, imageOffset });
      imageOffset += block.sizeBytes;
    }
    this.#blocks = placed;
    this.sizeBytes = imageOffset;
  }

  read(imageOffset: number, target: Uint8Array): void {
    let done = 0;
    while (done < target.length) {
      const at = imageOffset + done;
      const within = at % pageSizeBytes;
      const count = Math.min(target.length - done, pageSizeBytes - within);
      const { places, imageOffset: blockOffset } = this.#blockAt(at);
      const place = places.placeOf((at - blockOffset - within) / pageSizeBytes);
      const part = target.subarray(done, done + count);
      if (place === 0) {
        part.fill(0);
      } else {
        this.#file.read(place + within, part);
      }
      done += count;
    }
  }

  dataAt(imageOffset: number): ImageExtent | undefined {
    for (const { places, sizeBytes, imageOffset: blockOffset } of this.#blocks) {
      const within = Math.max(imageOffset - blockOffset, 0);
      const run = within < sizeBytes ? places.dataFrom(within / pageSizeBytes) : undefined;
      if (run !== undefined) {
        return {
          startOffset: blockOffset + run.firstPage * pageSizeBytes,
          endOffset: blockOffset + run.endPage * pageSizeBytes,
        };
      }
    }
    return undefined;
  }

  /** A machine has few blocks. */
  #blockAt(imageOffset: number): PlacedBlock {
    const index = this.#blocks.findIndex(
      ({ imageOffset: start, sizeBytes }) => imageOffset < start + sizeBytes,
    );
    return this.#blocks[index];
  }
}
