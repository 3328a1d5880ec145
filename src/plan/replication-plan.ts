// The planner's result: runs of pages with one label and one replication, as columns. Plain data, printed by a dry run.

/** Columns of equal length, ascending by firstPage, covering every page of the image exactly once. */
export interface ReplicationPlan {
  readonly pageCount: number;
  /** Page index in image order. */
  readonly firstPage: Uint32Array;
  readonly runPageCount: Uint32Array;
  /** Label number, introspect/page-class.ts. */
  readonly label: Uint8Array;
  /** 0: not stored. */
  readonly replication: Uint8Array;
}
