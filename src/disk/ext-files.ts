// Where files of ext2, ext3 and ext4 lie on a disk, as debugfs (e2fsprogs) says: `stat <INODE>` lists the blocks of a
// file with extents and of one without alike.
//
//   Inode: 12   Type: regular    Mode:  0644   Flags: 0x80000
//   EXTENTS:
//   (ETB0):33793, (0-3):5258-5261, (10-19[u]):5275-5284, (20):5262
//
// `[u]`: not written yet, so the file is zero there, whatever the disk holds.
import type { DiskImage } from './disk-image.js';
import { Extents } from './extents.js';
import { imagePath, runTool } from './file-system-tool.js';
import type { Bound } from './proof-budget.js';

/** What both tools are asked. */
export interface FileQuery {
  readonly image: DiskImage;
  /** Where the file system begins on the disk. */
  readonly startBytes: number;
  readonly blockSizeBytes: number;
  readonly inodes: readonly number[];
  /** Called for each inode that the file system has, perhaps more than once. Offsets count from `startBytes`. */
  readonly onFile: (inode: number, extents: Extents) => void;
  /** By default what one run of a tool may take. */
  readonly bound?: Bound | undefined;
  /** Called at the end with what it took of that. */
  readonly onTook?: (took: Bound) => void;
  readonly signal?: AbortSignal | undefined;
}

/** What keeps the tool from answering at all, or to the end, for a warning; undefined where it answers. */
export async function findExtFiles(query: FileQuery): Promise<string | undefined> {
  const { image, startBytes, inodes, onFile, bound, onTook, signal } = query;
  const reader = new StatReader(query.blockSizeBytes, onFile);
  const { problem, complaint, took } = await runTool({
    program: 'debugfs',
    packageName: 'e2fsprogs',
    // -c: no bitmaps are read, so those of a running guest may be as they are. Read-only without -w.
    programArguments: ['-c', '-f', '-', `${imagePath}?offset=${startBytes}`],
    image,
    input: commandsFor(inodes),
    onLine: (line) => {
      reader.line(line);
    },
    bound,
    signal,
  });
  onTook?.(took);
  return problem ?? (reader.inodeCount > 0 ? undefined : (complaint ?? 'debugfs did not answer'));
}

function* commandsFor(inodes: readonly number[]): Generator<string> {
  for (const inode of inodes) {
    yield `stat <${inode}>\n`;
  }
}

const treeBlock = /^\((?:ETB\d+|IND|DIND|TIND)\):\d+$/;
const unwrittenRun = /^\(\d+(?:-\d+)?\[u\]\):\d+(?:-\d+)?$/;
const blockRun = /^\((\d+)(?:-(\d+))?\):(\d+)(?:-(\d+))?$/;

/** Puts the answers together, line by line. One that is not as expected gives no place. */
export class StatReader {
  /** Inodes that were answered for. */
  inodeCount = 0;
  readonly #blockSizeBytes: number;
  readonly #onFile: FileQuery['onFile'];
  #inode: number | undefined;
  #blocksFollow = false;

  constructor(blockSizeBytes: number, onFile: FileQuery['onFile']) {
    this.#blockSizeBytes = blockSizeBytes;
    this.#onFile = onFile;
  }

  line(line: string): void {
    if (this.#blocksFollow) {
      this.#blocksFollow = false;
      const extents = extentsIn(line, this.#blockSizeBytes);
      if (this.#inode !== undefined && extents !== undefined) {
        this.#onFile(this.#inode, extents);
      }
      this.#inode = undefined;
      return;
    }
    if (line.startsWith('debugfs: ')) {
      this.#inode = undefined;
      return;
    }
    const head = /^Inode: (\d{1,10}) +Type: regular /.exec(line);
    if (head !== null) {
      this.#inode = Number(head[1]);
      this.inodeCount++;
      return;
    }
    this.#blocksFollow = line === 'EXTENTS:' || line === 'BLOCKS:';
  }
}

/** Undefined where any part of the list is not understood. */
function extentsIn(line: string, blockSizeBytes: number): Extents | undefined {
  const extents = new Extents();
  for (const part of partsOf(line)) {
    if (part === '' || treeBlock.test(part) || unwrittenRun.test(part)) {
      continue;
    }
    const match = blockRun.exec(part);
    if (match === null) {
      return undefined;
    }
    const [, from, to = from, block, lastBlock = block] = match;
    const blockCount = Number(to) - Number(from) + 1;
    if (blockCount !== Number(lastBlock) - Number(block) + 1) {
      return undefined;
    }
    const added = extents.add(
      Number(from) * blockSizeBytes,
      Number(block) * blockSizeBytes,
      blockCount * blockSizeBytes,
    );
    if (!added) {
      return undefined;
    }
  }
  return extents;
}

/** One by one, since a hostile list has a million of them. */
function* partsOf(line: string): Generator<string> {
  for (let from = 0; from <= line.length;) {
    const comma = line.indexOf(', ', from);
    const end = comma < 0 ? line.length : comma;
    yield line.slice(from, end);
    from = end + 2;
  }
}
