// What one body file says, apart from its bytes: a base has all of each space, a delta what is another than before.
import type { DiskHeldPages } from '../../../introspect/disk-held.js';
import type { HealingFacts } from '../../../introspect/heal/healing-facts.js';
import type { FrameColumns, PlaceColumns } from '../../pack/types.js';
import type { AddressSpace } from '../types.js';
import type { BodyKind } from './layout.js';

/** In the `frame` column of a delta's places: these pages lie in no frame any more. */
export const noFrame = 0xffff_ffff;

/** Runs of pages whose label changed, ascending, not overlapping. */
export interface ChangedLabels {
  readonly firstPage: Uint32Array;
  readonly pageCount: Uint32Array;
  readonly label: Uint8Array;
}

/** What is said of pages that a disk holds, where that changed. */
export interface ChangedHeld {
  /** Pages whose rows are no more, ascending; undefined where that is every row of before. */
  readonly dropped: Uint32Array | undefined;
  /** Rows that are new, with the disks of all rows: the same disks as before unless every row is dropped. */
  readonly added: DiskHeldPages;
}

export interface ChangedSpace {
  readonly name: string;
  readonly labels: ChangedLabels;
  /** As places of a whole space; by `noFrame` also what has none. */
  readonly places: PlaceColumns;
  /** What all of it is now; null where there is none any more, undefined where nothing changed. */
  readonly healing?: HealingFacts | null | undefined;
  readonly notStored?: readonly number[] | null | undefined;
  readonly diskHeld?: ChangedHeld | null | undefined;
}

/** In the order of the spaces. A space that is in no body's list any more is gone. */
export type SpaceOfBody =
  | { readonly is: 'whole'; readonly space: AddressSpace }
  | { readonly is: 'changed'; readonly change: ChangedSpace };

/** Frames by the names of their packs, ascending by pack and offset. Places of this body name them by index. */
export interface BodyFrames extends FrameColumns {
  /** Index in `packNames`. */
  readonly pack: Uint32Array;
}

export interface Body {
  readonly kind: BodyKind;
  readonly packNames: readonly string[];
  readonly frames: BodyFrames;
  readonly spaces: readonly SpaceOfBody[];
}
