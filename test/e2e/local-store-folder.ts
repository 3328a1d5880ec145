// A store on five folders of this machine, looked at and damaged from below, past the program under test.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ChunkChecksummer } from '../../src/store/local/chunk-checksum.js';

export const diskNames = ['disk1', 'disk2', 'disk3', 'disk4', 'disk5'] as const;

export class LocalStoreFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get url(): string {
    return pathToFileURL(this.path).href;
  }

  /** Everything with bytes of users in it, whole or half-written. */
  dataFiles(): readonly string[] {
    return diskNames.flatMap((disk) =>
      ['data', 'writing'].flatMap((folder) => filesIn(join(this.path, disk, folder))),
    );
  }

  /** Copies under way. */
  filesBeingWritten(): readonly string[] {
    return diskNames.flatMap((disk) => filesIn(join(this.path, disk, 'writing')));
  }

  /** The files that hold the copies of `name`: its name entry says their id (src/store/local/names/name-entry.ts). */
  copiesOf(name: string): readonly string[] {
    const entry = diskNames
      .flatMap((disk) => filesIn(join(this.path, disk, 'names', name)))
      .map((path) => /=1,([0-9a-f]{32}),/.exec(path)?.[1])
      .find((id) => id !== undefined);
    if (entry === undefined) {
      throw new Error(`no name entry of ${name} below ${this.path}`);
    }
    return diskNames
      .map((disk) => join(this.path, disk, 'data', entry))
      .filter((path) => existsSync(path));
  }
}

/** Flips one bit of a copy and makes its checksum file fit: as if the wrong byte had been written. */
export function flipStoredBit(copyPath: string, atBytes: number): void {
  const bytes = readFileSync(copyPath);
  bytes[atBytes] ^= 0x10;
  writeFileSync(copyPath, bytes);
  const checksummer = new ChunkChecksummer();
  checksummer.update(bytes);
  const at = copyPath.lastIndexOf('/') + 1;
  writeFileSync(`${copyPath.slice(0, at)}.${copyPath.slice(at)}.crc`, checksummer.encode());
}

function filesIn(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}
