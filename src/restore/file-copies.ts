// Where a file of a snapshot is, and what is left of it.
import { smallestOf } from '../flow/largest.js';

export interface FileCopies {
  readonly name: string;
  /** Copies asked for. */
  readonly wanted: number;
  /** Nodes with a live copy, for each block. A file that is not what was written counts as a block without any. */
  readonly blocks: readonly (readonly string[])[];
}

/** A file that no page lies in. */
export interface FileBeside extends FileCopies {
  /** Of an attachment, or `manifest`. */
  readonly role: string;
}

/** A block is the unit of loss, and no part of a pack or of an attachment is of use without the others. */
export function isLost({ blocks }: FileCopies): boolean {
  return blocks.some((nodes) => nodes.length === 0);
}

/** Those of the scarcest block. An empty file has no block, and nothing to lose. */
export function liveCopyCount({ wanted, blocks }: FileCopies): number {
  return Math.min(wanted, smallestOf(blocks.map((nodes) => nodes.length)));
}
