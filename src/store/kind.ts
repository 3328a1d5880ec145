// What the rest of the program knows of a kind of store before one is opened. Each kind says it in the kind.ts of its folder;
// the table of them is kinds.ts.
//
// A kind.ts is loaded for every `--help`, so it loads no more than the parser of its URLs: whatever opens, asks or looks at
// disks is imported when it is called.

import type { DiskCare } from './local/disk-care.js';
import type { Store } from './store.js';

/** `Options`: of this kind's `open` alone; undefined where it has none. */
export interface StoreKind<Options = undefined> {
  /** What its URLs begin with, in small letters and without the colon; where `isLasting`, `//` comes after the colon. */
  readonly schemes: readonly [string, ...string[]];

  /**
   * Whether what is stored is there when the process has ended. A kind that does not last is for tests and simulations: it is
   * opened in the process that uses it, and no command line, configuration or help takes or names it.
   */
  readonly isLasting: boolean;

  /** A short form of a URL for each scheme, for a line of help. */
  readonly helpForms: readonly string[];

  /** All forms of its URLs, for an error. */
  readonly urlForms: string;

  /** Throws `usage` unless `url` has one of the forms. Asks nobody. */
  readonly checkUrl: (url: string) => void;

  readonly open: (url: string, options?: Options) => Promise<Store>;

  /** What must be shown to nobody, beside passwords in URLs and what any query calls a token, a secret and the like. */
  readonly secrets: {
    /** Variables of the environment whose values are secret. */
    readonly variables: readonly string[];
    /** Parameters of a URL's query whose values are secret. */
    readonly parameters: readonly string[];
  };

  /** Set where the locations of a store's blocks are folders of this machine, one for each disk: what cares for them. */
  readonly disks?: () => Promise<DiskCare>;
}

export const noSecrets: StoreKind['secrets'] = { variables: [], parameters: [] };
