// What long work says while it goes on. Who shows it, and whether, is the caller's business.

export interface Progress {
  /** A few words: what is being done now. */
  readonly phase: string;
  readonly doneBytes: number;
  /** 0 while it is not known. */
  readonly totalBytes: number;
}

export type OnProgress = (progress: Progress) => void;
