// A base and what changed since, as one: the frames that pages of the snapshot lie in, and its spaces.
//
// Changes are small beside the base, so they are laid over each other first, and over the base once. Frames that nothing lies
// in any more are left out.
import { type DiskHeldPages, pickHeldRows } from '../../../introspect/disk-held.js';
import { ParsError } from '../../../introspect/pars-error.js';
import type { PlaceColumns } from '../../pack/types.js';
import type { AddressSpace, PackEntry, RamSpace, SnapshotFrames } from '../types.js';
import { pickSnapshotFrames, usedFrames } from '../used-frames.js';
import { renumberedSpace } from './base.js';
import { overlayChanges, overlayLabels, overlayPlaces } from './overlay.js';
import { type Body, type ChangedSpace, noFrame } from './types.js';

export interface Resolved {
  readonly frames: SnapshotFrames;
  readonly spaces: readonly AddressSpace[];
}

/**
 * `bodies`: oldest first. Frames come to name their pack by its place among `packs`. Throws `corrupt` for bodies that do not
 * fit each other or the packs.
 */
export function resolveBodies(bodies: readonly Body[], packs: readonly PackEntry[]): Resolved {
  const [base, ...deltas] = bodies;
  if (bodies.length === 0 || base.kind !== 'base' || deltas.some(({ kind }) => kind === 'base')) {
    throw corrupt('expected a base, and then nothing but deltas');
  }
  const table = new FrameTable(packs);
  const layers = new Map<string, Layered>();
  let names: readonly string[] = [];
  for (const body of bodies) {
    const numbering = table.add(body);
    names = body.spaces.map((entry) =>
      entry.is === 'whole' ? entry.space.name : entry.change.name,
    );
    for (const entry of body.spaces) {
      if (entry.is === 'whole') {
        const { space } = entry;
        layers.set(space.name, {
          space: { ...space, places: renumbered(space.places, numbering) },
          changes: [],
        });
        continue;
      }
      const { change } = entry;
      const below = layers.get(change.name);
      if (below === undefined) {
        throw corrupt(`space ${change.name} changed, and was not there before`);
      }
      const renamed = { ...change, places: renumbered(change.places, numbering) };
      below.changes.push(renamed);
    }
  }
  const spaces = names.map((name) => flattened(layers.get(name)));
  return deltas.length === 0
    ? { frames: table.frames(), spaces }
    : withoutUnused(table.frames(), spaces);
}

interface Layered {
  readonly space: AddressSpace;
  /** Oldest first. */
  readonly changes: ChangedSpace[];
}

interface Numbering {
  /** The place in the table of each of a body's frames. */
  readonly frameOf: Uint32Array;
  /** Each is where it was. */
  readonly isKept: boolean;
}

/** The frames of all bodies in one table; one that several bodies name stands in it once. */
class FrameTable {
  readonly #packOf: ReadonlyMap<string, number>;
  readonly #bodies: { readonly body: Body; readonly packs: Uint32Array }[] = [];
  #count = 0;
  /** By pack and offset, of bodies before the newest; made when one names a pack of theirs again. */
  readonly #known = new Map<number, number>();
  readonly #usedPacks = new Set<number>();

  constructor(packs: readonly PackEntry[]) {
    this.#packOf = new Map(packs.map(({ name }, index) => [name, index]));
  }

  add(body: Body): Numbering {
    const { frames, packNames } = body;
    const packOf = packNames.map((name) => this.#packOf.get(name));
    const packs = new Uint32Array(frames.pack.length);
    for (let frame = 0; frame < packs.length; frame++) {
      packs[frame] = packOf[frames.pack[frame]] ?? noFrame;
    }
    const first = this.#count;
    const frameOf = new Uint32Array(packs.length);
    for (let frame = 0; frame < frameOf.length; frame++) {
      frameOf[frame] = first + frame;
    }
    let isKept = first === 0;
    if (packOf.some((pack) => pack !== undefined && this.#usedPacks.has(pack))) {
      this.#nameAll();
      packs.forEach((pack, frame) => {
        const known = this.#known.get(keyOf(pack, frames.offset[frame]));
        if (known !== undefined && pack !== noFrame) {
          frameOf[frame] = known;
        }
      });
      isKept = false;
    }
    packOf.forEach((pack) => pack !== undefined && this.#usedPacks.add(pack));
    this.#bodies.push({ body, packs });
    this.#count += packs.length;
    return { frameOf, isKept };
  }

  frames(): SnapshotFrames {
    const frames = {
      pack: new Uint32Array(this.#count),
      offset: new Uint32Array(this.#count),
      length: new Uint32Array(this.#count),
      identity: new Uint32Array(this.#count),
      pageCount: new Uint8Array(this.#count),
    };
    let at = 0;
    for (const { body, packs } of this.#bodies) {
      frames.pack.set(packs, at);
      frames.offset.set(body.frames.offset, at);
      frames.length.set(body.frames.length, at);
      frames.identity.set(body.frames.identity, at);
      frames.pageCount.set(body.frames.pageCount, at);
      at += packs.length;
    }
    return frames;
  }

  #nameAll(): void {
    this.#known.clear();
    let at = 0;
    for (const { body, packs } of this.#bodies) {
      for (let frame = 0; frame < packs.length; frame++) {
        const key = keyOf(packs[frame], body.frames.offset[frame]);
        if (!this.#known.has(key)) {
          this.#known.set(key, at + frame);
        }
      }
      at += packs.length;
    }
  }
}

/** Exact: packs are fewer than 2^18 and smaller than 2^31. */
const keyOf = (pack: number, offset: number): number => pack * 2 ** 31 + offset;

function renumbered(places: PlaceColumns, { frameOf, isKept }: Numbering): PlaceColumns {
  const frame = isKept ? places.frame : new Uint32Array(places.frame.length);
  for (let place = 0; place < frame.length; place++) {
    const old = places.frame[place];
    if (old !== noFrame && old >= frameOf.length) {
      throw corrupt(`a place is in frame ${old}, there are ${frameOf.length}`);
    }
    if (!isKept) {
      frame[place] = old === noFrame ? noFrame : frameOf[old];
    }
  }
  return { ...places, frame };
}

/** Neighbours first, so that each is gone over a few times only, however many there are. */
function mergedChanges(changes: readonly ChangedSpace[]): ChangedSpace | undefined {
  let left = changes;
  while (left.length > 1) {
    const pairs: ChangedSpace[] = [];
    for (let at = 0; at < left.length; at += 2) {
      pairs.push(at + 1 < left.length ? mergedChange(left[at], left[at + 1]) : left[at]);
    }
    left = pairs;
  }
  return left.at(0);
}

function mergedChange(lower: ChangedSpace, upper: ChangedSpace): ChangedSpace {
  return {
    name: upper.name,
    labels: overlayChanges(expectAscending(lower), expectAscending(upper)),
    places: overlayPlaces(lower.places, upper.places, { keepsNone: true }),
    healing: upper.healing === undefined ? lower.healing : upper.healing,
    notStored: upper.notStored === undefined ? lower.notStored : upper.notStored,
    diskHeld: mergedHeld(lower.diskHeld, upper.diskHeld),
  };
}

type HeldChange = ChangedSpace['diskHeld'];

function mergedHeld(lower: HeldChange, upper: HeldChange): HeldChange {
  if (upper === undefined) {
    return lower;
  }
  if (upper?.dropped === undefined || lower === undefined) {
    return upper;
  }
  if (lower === null) {
    throw corrupt('rows of pages that a disk holds are dropped, and there are none');
  }
  return {
    dropped: lower.dropped === undefined ? undefined : unionOf(lower.dropped, upper.dropped),
    added: joined(withoutPages(lower.added, upper.dropped), upper.added),
  };
}

function flattened(layered: Layered | undefined): AddressSpace {
  if (layered === undefined) {
    throw corrupt('a space is named that no body has');
  }
  const { space, changes } = layered;
  const change = mergedChanges(changes);
  if (change === undefined) {
    return space;
  }
  const common = {
    labelRuns: overlayLabels(space.labelRuns, expectWithin(expectAscending(change), space)),
    places: overlayPlaces(space.places, change.places, { keepsNone: false }),
  };
  if (space.kind === 'disk') {
    if ([change.healing, change.notStored, change.diskHeld].some((key) => key !== undefined)) {
      throw corrupt(`space ${space.name}: pages of a disk cannot be healed, yet it says how`);
    }
    return { ...space, ...common };
  }
  return {
    ...space,
    ...common,
    healing: change.healing === undefined ? space.healing : (change.healing ?? undefined),
    notStored: change.notStored === undefined ? space.notStored : (change.notStored ?? undefined),
    diskHeld: heldNow(space, change.diskHeld),
  };
}

function heldNow({ diskHeld }: RamSpace, change: HeldChange): RamSpace['diskHeld'] {
  if (change === undefined) {
    return diskHeld;
  }
  if (change?.dropped === undefined) {
    return change?.added;
  }
  if (diskHeld === undefined) {
    throw corrupt('rows of pages that a disk holds are dropped, and there are none');
  }
  return joined(withoutPages(diskHeld, change.dropped), change.added);
}

function expectAscending({ name, labels }: ChangedSpace): ChangedSpace['labels'] {
  let end = 0;
  for (let run = 0; run < labels.label.length; run++) {
    if (labels.firstPage[run] < end || labels.pageCount[run] === 0) {
      throw corrupt(`space ${name}: changed label run ${run} is empty or out of order`);
    }
    end = labels.firstPage[run] + labels.pageCount[run];
  }
  return labels;
}

function expectWithin(
  labels: ChangedSpace['labels'],
  { name, labelRuns }: AddressSpace,
): ChangedSpace['labels'] {
  const last = labelRuns.label.length - 1;
  const pageCount = last < 0 ? 0 : labelRuns.firstPage[last] + labelRuns.pageCount[last];
  const lastChange = labels.label.length - 1;
  if (lastChange >= 0 && labels.firstPage[lastChange] + labels.pageCount[lastChange] > pageCount) {
    throw corrupt(`space ${name}: labels change beyond its ${pageCount} pages`);
  }
  return labels;
}

/** Rows of pages that `dropped`, ascending, does not name. */
function withoutPages(held: DiskHeldPages, dropped: Uint32Array): DiskHeldPages {
  const gone = new Set(dropped);
  const rows = Uint32Array.from(held.page.keys()).filter((row) => !gone.has(held.page[row]));
  return pickHeldRows(held, rows);
}

/** The rows of both, by page. */
function joined(lower: DiskHeldPages, upper: DiskHeldPages): DiskHeldPages {
  const sameDisks =
    lower.disks.length === upper.disks.length &&
    lower.disks.every(
      ({ name, sizeBytes }, index) =>
        name === upper.disks[index].name && sizeBytes === upper.disks[index].sizeBytes,
    );
  if (!sameDisks) {
    throw corrupt('pages are held by other disks than before, and not all rows are new');
  }
  const all: DiskHeldPages = {
    disks: upper.disks,
    page: concat(lower.page, upper.page),
    disk: Uint8Array.from([...lower.disk, ...upper.disk]),
    offsetBytes: Float64Array.from([...lower.offsetBytes, ...upper.offsetBytes]),
    hash: new Uint8Array(Buffer.concat([lower.hash, upper.hash])),
  };
  const order = Uint32Array.from(all.page.keys()).sort((a, b) => all.page[a] - all.page[b]);
  return pickHeldRows(all, order);
}

function unionOf(a: Uint32Array, b: Uint32Array): Uint32Array {
  return Uint32Array.from(new Set(concat(a, b))).sort();
}

function concat(a: Uint32Array, b: Uint32Array): Uint32Array {
  const both = new Uint32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function withoutUnused(frames: SnapshotFrames, spaces: readonly AddressSpace[]): Resolved {
  const kept = usedFrames(frames, spaces);
  if (kept.length === frames.pack.length) {
    return { frames, spaces };
  }
  const newIndex = new Uint32Array(frames.pack.length);
  for (let index = 0; index < kept.length; index++) {
    newIndex[kept[index]] = index;
  }
  return {
    frames: pickSnapshotFrames(frames, kept),
    spaces: spaces.map((space) => renumberedSpace(space, newIndex)),
  };
}

function corrupt(problem: string): ParsError {
  return new ParsError('corrupt', `bodies of a manifest: ${problem}`);
}
