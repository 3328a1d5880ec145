// What a case came to. Wrong is: a page that the running kernel cannot miss is given up, or a page is given up that the
// labels themselves were made from. Anything else that is believed, doubted or refused is right.
import type { Kernel } from '../../introspect/kernel/kernel.js';
import { pageClasses } from '../../introspect/page-class.js';
import type { Labelled } from './label.js';

export const verdicts = [
  /** Labels of the running kernel, whole: the forgery was not taken in. */
  'complete',
  /** Labels with a doubt, none of them wrong. */
  'partial',
  'nothing believed',
  /** Labels of one of two kernels that nothing in the RAM tells apart: right by luck. */
  'undoubted',
  'critical page given up',
  'evidence given up',
  /** An error instead of labels. */
  'stopped',
  'slow',
] as const;
export type Verdict = (typeof verdicts)[number];

export const wrongVerdicts: readonly Verdict[] = [
  'undoubted',
  'critical page given up',
  'evidence given up',
  'stopped',
  'slow',
];

export interface Judgement {
  readonly verdict: Verdict;
  readonly detail: string;
}

const slowMs = 5000;
const isExpendable = Uint8Array.from({ length: 256 }, (_, label) =>
  pageClasses.at(label)?.expendable === true ? 1 : 0,
);

export interface Trial {
  /** Undisturbed labels; undefined where the guest changed its own kernel, so that nobody knows. */
  readonly truth: Uint8Array | undefined;
  readonly isTwin: boolean;
  /** Whether the kernel that labels are of is the running one; undefined where it is whenever labels are right. */
  readonly isRunning?: (kernel: Kernel) => boolean;
  /** Throws what labelling throws. */
  readonly labelled: () => Labelled;
}

export function judge({ truth, isTwin, isRunning, labelled }: Trial): Judgement {
  const startMs = performance.now();
  let result: Labelled;
  try {
    result = labelled();
  } catch (error) {
    return { verdict: 'stopped', detail: (error as Error).message };
  }
  const ms = performance.now() - startMs;
  const { map, evidence, kernel } = result;
  const isOfAnother = kernel !== undefined && isRunning?.(kernel) === false;
  const reason = 'reason' in map.evidence ? map.evidence.reason : '';
  let lost = 0;
  let firstLost = 0;
  let ownEvidence = 0;
  let firstEvidence = 0;
  for (let page = 0; page < map.labels.length; page++) {
    if (isExpendable[map.labels[page]] === 0) {
      continue;
    }
    if (isOfAnother || (truth !== undefined && isExpendable[truth[page]] === 0)) {
      firstLost = lost === 0 ? page : firstLost;
      lost++;
    }
    if (evidence[page] === 1) {
      firstEvidence = ownEvidence === 0 ? page : firstEvidence;
      ownEvidence++;
    }
  }
  const first = (page: number): string =>
    `the first is frame ${page}, ${pageClasses[map.labels[page]].label}`;
  if (lost > 0) {
    return {
      verdict: 'critical page given up',
      detail: `${map.evidence.kind}: ${lost} critical pages given up, ${first(firstLost)}; ${ownEvidence} of evidence`,
    };
  }
  if (ownEvidence > 0) {
    return {
      verdict: 'evidence given up',
      detail: `${map.evidence.kind}: ${ownEvidence} pages of evidence given up, ${first(firstEvidence)}`,
    };
  }
  if (ms > slowMs) {
    return { verdict: 'slow', detail: `${Math.round(ms)} ms` };
  }
  switch (map.evidence.kind) {
    case 'complete':
      return { verdict: isTwin ? 'undoubted' : 'complete', detail: map.kernel?.release ?? '' };
    case 'partial':
      return { verdict: 'partial', detail: reason };
    case 'no-kernel':
    case 'inconsistent':
      return { verdict: 'nothing believed', detail: reason };
  }
}
