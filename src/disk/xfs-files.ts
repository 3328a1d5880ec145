// Where files of XFS lie on a disk, as xfs_db (xfsprogs) says. It takes whole disks only: it cannot be told where a
// partition begins.
//
//   agblocks = 19200
//   blocksize = 4096
//   current inode number is 131
//   data offset 0 startblock 24 (0/24) count 733 flag 0
//
// In brackets the allocation group and the block in it: all groups but the last have `agblocks` blocks. Flag 1: not
// written yet, so the file is zero there.
import type { FileQuery } from './ext-files.js';
import { Extents } from './extents.js';
import { imagePath, runTool } from './file-system-tool.js';

/** What keeps the tool from answering at all, or to the end, for a warning; undefined where it answers. */
export async function findXfsFiles(query: FileQuery): Promise<string | undefined> {
  const { image, startBytes, inodes, onFile, bound, onTook, signal } = query;
  if (startBytes !== 0) {
    return 'xfs_db cannot look into a partition';
  }
  const reader = new BmapReader(onFile);
  const { problem, complaint, took } = await runTool({
    program: 'xfs_db',
    packageName: 'xfsprogs',
    programArguments: ['-r', ...(image.isBlockDevice ? [] : ['-f']), imagePath],
    image,
    input: commandsFor(inodes),
    onLine: (line) => {
      reader.line(line);
    },
    bound,
    signal,
  });
  // The last file's runs may have been cut off, but those that it has are its own.
  reader.end();
  onTook?.(took);
  return problem ?? (reader.inodeCount > 0 ? undefined : (complaint ?? 'xfs_db did not answer'));
}

function* commandsFor(inodes: readonly number[]): Generator<string> {
  yield 'sb 0\nprint agblocks blocksize\n';
  for (const inode of inodes) {
    // An inode that there is not leaves the one before in place, so it is asked which one it is.
    yield `inode ${inode}\ninode\nbmap\n`;
  }
}

/** Puts the answers together, line by line. One that is not as expected gives no place. */
export class BmapReader {
  /** Inodes that were answered for. */
  inodeCount = 0;
  readonly #onFile: FileQuery['onFile'];
  #groupBlockCount = 0;
  #blockSizeBytes = 0;
  #inode: number | undefined;
  #extents: Extents | undefined;

  constructor(onFile: FileQuery['onFile']) {
    this.#onFile = onFile;
  }

  line(line: string): void {
    const geometry = /^(agblocks|blocksize) = (\d{1,10})$/.exec(line);
    if (geometry !== null) {
      if (geometry[1] === 'agblocks') {
        this.#groupBlockCount = Number(geometry[2]);
      } else {
        this.#blockSizeBytes = Number(geometry[2]);
      }
      return;
    }
    const inode = /^current inode number is (\d{1,16})$/.exec(line);
    if (inode !== null) {
      this.end();
      this.#inode = Number(inode[1]);
      this.#extents = new Extents();
      this.inodeCount++;
      return;
    }
    if (line.startsWith('data offset ') && !this.#add(line)) {
      this.#extents = undefined;
    }
  }

  /** Hands out the last file. */
  end(): void {
    if (this.#inode !== undefined && this.#extents !== undefined) {
      this.#onFile(this.#inode, this.#extents);
    }
    this.#inode = undefined;
    this.#extents = undefined;
  }

  #add(line: string): boolean {
    const match =
      /^data offset (\d+) startblock \d+ \((\d+)\/(\d+)\) count (\d+) flag ([01])$/.exec(line);
    if (match === null || this.#groupBlockCount === 0 || this.#blockSizeBytes === 0) {
      return false;
    }
    const [fileBlock, group, groupBlock, count, flag] = match.slice(1).map(Number);
    return (
      flag === 1 ||
      (groupBlock < this.#groupBlockCount &&
        this.#extents?.add(
          fileBlock * this.#blockSizeBytes,
          (group * this.#groupBlockCount + groupBlock) * this.#blockSizeBytes,
          count * this.#blockSizeBytes,
        ) === true)
    );
  }
}
