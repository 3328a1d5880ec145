// The one interface between snapshots and where they are kept. Small on purpose: what is not here is not portable
// between HDFS and a few local disks. What only some stores can do is asked of `can` (capabilities.ts).
//
// Every member is an own property of the object and needs no `this`, so that `{ ...store, write }` is a store that writes
// in another way and is in all else the one it was made of. The compiler checks it as any object, and no list of members is to be
// kept; a class with methods would compile too, and lose them in the copy, so the shared suite runs on a copy.
//
// Names are relative to the store's root: segments of [A-Za-z0-9._-]+ joined by '/', no '.' or '..' segment.
// Every method throws ParsError with a code of the closed list; transient failures have been retried before that.

import type { StoreCapabilities } from './capabilities.js';
import type { ReadOptions } from './read-options.js';
import type { Redundancy } from './redundancy.js';
import type { Content } from './threads/content.js';

/**
 * Where those who are at work say so, by a file each. A store removes nothing that a writer may be at while there is one.
 */
export const claimsFolder = 'claims';

/** Where a store may make files in a folder for each erasure code before they get their names, of which it makes theirs. */
export const codingFolder = 'coding';

export interface WriteOptions {
  /** How it is to be kept, each copy or unit on another node or disk. A store refuses what it cannot write. */
  readonly redundancy: Redundancy;
  /** The file must fit into one block of this size: a block is the unit of loss. A multiple of 512. */
  readonly blockSizeBytes: number;
  /**
   * What a reader may take from there being a file of this name. `whole`, unless given: that all of it is there, so it comes to
   * its name at the end, and at once. `nothing`: whoever reads it learns of it elsewhere, and after the write, as of a pack by
   * its manifest, and nobody else writes a file of that name. Then a store may write under the name from the start; a part of
   * the file is seen there meanwhile, and stays when this process is killed.
   */
  readonly nameTells?: 'whole' | 'nothing' | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RemoveOptions extends ReadOptions {
  /** Only a file, or only a folder with nothing below it. Unless given, a folder goes with all below it. */
  readonly only?: 'file' | 'empty-folder';
}

export interface StoredFile {
  /** Full name below the store's root. */
  readonly name: string;
  readonly kind: 'file' | 'folder';
  /** 0 for a folder. */
  readonly sizeBytes: number;
  /** Milliseconds since 1970, by the store's clock. */
  readonly modifiedMs: number;
  /** What the store says of it makes no sense, and why: its size and time stand as 0 here. Only in listings. */
  readonly problem?: string;
}

/** A block in units of an erasure code, of which so many as there are of data are enough to read it. */
export interface BlockCoding {
  /** The data units of this block: a short one has fewer than the policy has. */
  readonly dataUnitCount: number;
  readonly parityUnitCount: number;
}

/** One HDFS block, or the whole file on local disks. What it means for its bytes: block-state.ts. */
export interface StoredBlock {
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** Where live copies are, or live units of a code: `host:port` or a disk's folder. */
  readonly locations: readonly string[];
  /** Where copies may be that cannot be looked at now, in words. Always empty where the store itself watches its nodes. */
  readonly unreachable: readonly string[];
  /** Undefined where each location has a whole copy. `unknown`: coded, and the store does not say how. */
  readonly coding?: BlockCoding | 'unknown' | undefined;
}

export interface Store {
  /** The URL it was opened with, without secrets. */
  readonly url: string;

  /** Whether copies that are missing after a write come by themselves, so that waiting for them makes sense. */
  readonly copiesComeLater: boolean;

  readonly can: StoreCapabilities;

  /**
   * Creates `name` from `content` and returns its length in bytes once all copies that are alive have it and the
   * store's checksum equals the one computed here. `content` is called again for a retry and must give the same bytes.
   * A chunk that it has given stays as it is until the next one is asked for, or the end of the content: after that its
   * memory may hold something else, so a store is done with a chunk, by copy or by the kernel's word, before it asks on.
   * Where content can be made in a thread (`inThread`), a store may have it made and sent there, and then does not call it.
   * Parent folders are made. Throws `already-exists` rather than overwrite, and `unsupported` for a redundancy that the store
   * cannot write. After a failure no file `name` is left, as far as the store can still be reached.
   */
  readonly write: (name: string, content: Content, options: WriteOptions) => Promise<number>;

  /**
   * Exactly `sizeBytes` bytes from `offsetBytes`, in memory of the caller's where it gives some (`into`). `data-lost` when the store says that no copy is alive, UnreachableCopies
   * (`unavailable`) at once when it lists copies and none can be reached, `not-found` when there is no such file,
   * `corrupt` when the file is shorter.
   */
  readonly read: (
    name: string,
    offsetBytes: number,
    sizeBytes: number,
    options?: ReadOptions,
  ) => Promise<Uint8Array>;

  /** The blocks of a file in ascending order, with the copies that are alive now. */
  readonly blocks: (name: string, options?: ReadOptions) => Promise<readonly StoredBlock[]>;

  /**
   * Bytes that all copies of a file take, those meant that it is to have: copies on nodes that are away count, and
   * checksums do not. `not-found` when there is no such file.
   */
  readonly storedBytes: (name: string, options?: ReadOptions) => Promise<number>;

  /** Undefined when there is no such file or folder. `corrupt` when what the store says of it makes no sense. */
  readonly stat: (name: string, options?: ReadOptions) => Promise<StoredFile | undefined>;

  /** Files and folders directly below `folder` ('' for the root), by name; empty when it does not exist. */
  readonly list: (folder: string, options?: ReadOptions) => Promise<readonly StoredFile[]>;

  /** Atomic. Throws `already-exists` when `to` exists and `not-found` when `from` does not. */
  readonly rename: (from: string, to: string, options?: ReadOptions) => Promise<void>;

  /**
   * Removes a file, or a folder with all below it. Not an error when it does not exist. With `only`, `already-exists` for a
   * folder that is not empty and `usage` for the other kind, and nothing is removed.
   */
  readonly remove: (name: string, options?: RemoveOptions) => Promise<void>;

  readonly close: () => Promise<void>;
}
