// The witnesses' pages in a migration stream, where QEMU has each page's bytes in one piece: what the RAM held at the
// moment of the snapshot, before any guest has run from it.
import { createReadStream } from 'node:fs';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import {
  begunOf,
  generationOf,
  indexOf,
  markOf,
  pageState,
  syncedOf,
  witnessPageCount,
} from './witness-layout.js';

export interface RamWitness {
  /** How many records were begun, and how many of them had been synced. */
  readonly begunCount: number;
  readonly syncedCount: number;
  readonly wrong: readonly string[];
}

export async function readRamWitness(streamPath: string): Promise<RamWitness> {
  const { records, pages } = await findPages(streamPath);
  const wrong: string[] = [];
  if (records.length !== 1) {
    wrong.push(`RAM: expected one page of the records' witness, found ${records.length}`);
  }
  const [page = Buffer.alloc(pageSizeBytes)] = records;
  return {
    begunCount: begunOf(page),
    syncedCount: syncedOf(page),
    wrong: [...wrong, ...wrongPages(pages)],
  };
}

/**
 * What is wrong with the pages of the witness. It rewrites them in turn, so those before some place are of one generation,
 * those behind it of the one before.
 */
export function wrongPages(found: readonly Buffer[]): readonly string[] {
  if (found.length !== witnessPageCount) {
    return [`RAM: expected ${witnessPageCount} pages of the witness, found ${found.length}`];
  }
  const pages = [...found].sort((a, b) => indexOf(a) - indexOf(b));
  const newest = generationOf(pages[0]);
  const firstOld = pages.findIndex((page) => generationOf(page) !== newest);
  const newCount = firstOld < 0 ? pages.length : firstOld;
  return pages.flatMap((page, index) => {
    const generation = index < newCount ? newest : newest - 1;
    const state = pageState(page);
    const mayBeHalf = index === newCount - 1;
    const isRight =
      indexOf(page) === index &&
      generationOf(page) === generation &&
      (state === 'whole' || (mayBeHalf && state === 'half-written'));
    return isRight
      ? []
      : [
          `RAM: expected page ${index} whole of generation ${generation}, ` +
            `found page ${indexOf(page)} ${state} of generation ${generationOf(page)}`,
        ];
  });
}

async function findPages(
  streamPath: string,
): Promise<{ readonly records: readonly Buffer[]; readonly pages: readonly Buffer[] }> {
  const found = { records: [] as Buffer[], pages: [] as Buffer[] };
  let rest = Buffer.alloc(0);
  for await (const piece of createReadStream(streamPath, { highWaterMark: 2 ** 22 })) {
    const bytes = Buffer.concat([rest, piece as Buffer]);
    // A page that does not end in this piece is found with the next one.
    const searched = Math.max(0, bytes.length - pageSizeBytes + 1);
    for (const role of ['records', 'pages'] as const) {
      const mark = markOf(role);
      for (
        let at = bytes.indexOf(mark);
        at >= 0 && at < searched;
        at = bytes.indexOf(mark, at + 1)
      ) {
        found[role].push(Buffer.from(bytes.subarray(at, at + pageSizeBytes)));
      }
    }
    rest = bytes.subarray(searched);
  }
  return found;
}
