// Why a page cannot be had.

/**
 * `lost`: no live copy. `unreachable`: the store lists copies, and none of them can be reached now. `corrupt`: a copy was
 * read, and it is not what was written. `not-stored`: the policy left it out.
 */
export type LossReason = 'lost' | 'unreachable' | 'corrupt' | 'not-stored';

/** Packs of which nothing can be read, by index, and why. */
export type LostPacks = ReadonlyMap<number, Extract<LossReason, 'lost' | 'unreachable'>>;

/** Frames that cannot be read, by index among the snapshot's, and why. */
export type LostFrames = ReadonlyMap<number, LossReason>;
