// What one page's evidence comes to.
import type { PageLabel } from '../page-class.js';
import type { Check } from './check.js';
import type { MemmapReading } from './memmap-reading.js';

export interface Conclusion {
  /** What the memmap shows; undefined where no kernel is believed, or its types are not known. */
  readonly memmap: MemmapReading | undefined;
  /** Zones whose span the frame lies in, each `node 0, DMA32`. */
  readonly zones: readonly string[];
  /** Whether the zone that the struct page's flags name is one of them. */
  readonly zoneByFlags: string | undefined;
  /** Every claim from outside the struct page, a sentence each. */
  readonly memberships: readonly string[];
  readonly checks: readonly Check[];
  /** What the evidence comes to. */
  readonly conclusion: PageLabel;
}

export const nothingKnown: Conclusion = {
  memmap: undefined,
  zones: [],
  zoneByFlags: undefined,
  memberships: [],
  checks: [],
  conclusion: 'unknown',
};
