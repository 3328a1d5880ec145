// What stands between a snapshot and a guest that resumes, although nothing may be lost yet: each with what to do about
// it. Pure, from what loss-scenarios.ts takes and gives.
import { healingWayOf } from '../../introspect/heal/healed-by.js';
import { pageClasses } from '../../introspect/page-class.js';
import { smallestOf } from '../flow/largest.js';
import { packHolds } from '../loss/pages-by-label.js';
import { notStoredOf } from '../manifest/space/spaces.js';
import type { ManifestHeader } from '../manifest/types.js';
import type { BlockPlaces } from '../store/block-state.js';
import type { ReedSolomon } from '../store/redundancy.js';
import { type FileCopies, isLost, liveCopyCount, wantedCopyCount } from './file-copies.js';
import type { LossInput, LossScenario } from './loss-scenarios.js';

export interface RiskInput extends LossInput {
  /** Names of those that are stored with RAM. */
  readonly storedDisks: readonly string[];
  readonly header: Pick<ManifestHeader, 'legend' | 'attachments' | 'evidence'>;
  /** Whether the store makes missing copies by itself. */
  readonly copiesComeLater: boolean;
}

/** Closed, for programs; people read the sentence. */
export type RiskKind =
  | 'evidence-incomplete'
  | 'no-device-state'
  | 'no-healing-facts'
  | 'reread-from-disk'
  | 'disk-not-stored'
  | 'disk-stored-once'
  | 'few-copies-wanted'
  | 'few-copies-alive'
  | 'redundancy-unknown'
  | 'code-not-kept'
  | 'single-node';

export interface Risk {
  readonly kind: RiskKind;
  /** What the risk is, and what to do. */
  readonly sentence: string;
}

/** Fewer copies of critical pages are said to be few; the default policy asks for as many. */
const safeReplication = 3;
/** Names listed before the rest is only counted. */
const namedAtMost = 3;

/** `scenarios` as lossScenarios gives them for the same input. */
export function snapshotRisks(
  input: RiskInput,
  scenarios: readonly LossScenario[],
): readonly Risk[] {
  const { evidence, attachments } = input.header;
  const now = scenarios[0];
  const singles = scenarios[scenarios.length - 1];
  const sentences: readonly (readonly [RiskKind, string | undefined])[] = [
    [
      'evidence-incomplete',
      evidence === 'complete'
        ? undefined
        : `pages in doubt were kept as critical (${evidence}); if the guest ran on while its memory was read, take the ` +
          'snapshot again with the VM stopped',
    ],
    [
      'no-device-state',
      attachments.some(({ role }) => role === 'state')
        ? undefined
        : 'no device state is kept with it, and a guest does not resume from RAM alone; keep the state of the same ' +
          'moment elsewhere, or upload with --state',
    ],
    ['no-healing-facts', withoutHealing(singles)],
    ['reread-from-disk', reread(input, now, singles)],
    notStored(input)
      ? ['disk-not-stored', held(input, now)]
      : ['disk-stored-once', held(input, singles)],
    ['few-copies-wanted', fewWanted(input)],
    ['few-copies-alive', fewAlive(input)],
    ['redundancy-unknown', unknownCode(input)],
    ['code-not-kept', codeNotKept(input)],
    ['single-node', fatalNodes(scenarios)],
  ];
  return sentences.flatMap(([kind, sentence]) =>
    sentence === undefined ? [] : [{ kind, sentence }],
  );
}

function withoutHealing({ unhealed }: LossScenario): string | undefined {
  const pageCount = unhealed
    .filter(({ label }) => isExpendable(label))
    .reduce((sum, entry) => sum + entry.pageCount, 0);
  return pageCount === 0
    ? undefined
    : `${pageCount} expendable pages have no more than one copy, and the snapshot was made without what heals them; ` +
        'while they are there, restore it and upload it again';
}

function reread(
  { storedDisks }: RiskInput,
  now: LossScenario,
  singles: LossScenario,
): string | undefined {
  const lostCount = now.healedPageCounts.rereading;
  const pageCount = singles.healedPageCounts.rereading;
  const keep =
    storedDisks.length === 0
      ? "keep the VM's disks as they were at the snapshot's moment, and resume on them"
      : `resume on what is restored of ${named(storedDisks)}, and keep any other disk of the VM as it was`;
  if (lostCount > 0) {
    return `${lostCount} pages of file cache are lost, which the guest will read again from its disk; ${keep}`;
  }
  return pageCount > 0
    ? `if its single copies go, the guest reads ${pageCount} pages of file cache again from its disk; ${keep}`
    : undefined;
}

/** Whether the VM's disk alone has the pages that it held. */
function notStored({ header, space }: RiskInput): boolean {
  return notStoredOf(space).some((label) => healingWayOf(header.legend[label]) === 'disk');
}

function held(input: RiskInput, { healedPageCounts }: LossScenario): string | undefined {
  const pageCount = healedPageCounts.disk;
  const { disks = [] } = input.space?.diskHeld ?? {};
  if (pageCount === 0 || input.disksToBeGiven.length === 0) {
    return undefined;
  }
  const images = disks
    .filter(({ name }) => input.disksToBeGiven.includes(name))
    .map(({ name, sizeBytes }) => `${name} (${sizeBytes} bytes)`)
    .join(', ');
  const keep = `keep an image of ${images} as it was at the snapshot's moment, and give it to restore with --disk`;
  return notStored(input)
    ? `${pageCount} pages are not stored, as the VM's disk held them; ${keep}`
    : `if its single copies go, ${pageCount} pages are left on the VM's disk alone; ${keep}`;
}

function fewWanted(input: RiskInput): string | undefined {
  const critical = criticalPacks(input);
  const few = critical.filter((file) => wantedCopyCount(file) < safeReplication);
  return few.length === 0
    ? undefined
    : `critical pages in ${few.length} of ${critical.length} packs were stored with a replication as low as ` +
        `${smallestOf(few.map(wantedCopyCount))}; restore it and upload it again with ${safeReplication}`;
}

function fewAlive(input: RiskInput): string | undefined {
  const short = [...criticalPacks(input), ...input.beside].filter(
    (file) => !isLost(file) && liveCopyCount(file) < wantedCopyCount(file),
  );
  return short.length === 0
    ? undefined
    : `${named(short.map(({ name }) => name))} must not be lost, and down to ${smallestOf(short.map(liveCopyCount))} ` +
        'live copies, or what is worth as many, are left; ' +
        (input.copiesComeLater
          ? 'let the store make the missing ones, and verify again'
          : 'bring the missing disks back, or restore the snapshot and upload it again');
}

function unknownCode({ packs, beside }: RiskInput): string | undefined {
  const files = [...packs, ...beside].filter(({ blocks }) =>
    blocks.some(({ coding }) => coding === 'unknown'),
  );
  return files.length === 0
    ? undefined
    : `${named(files.map(({ name }) => name))} ${files.length === 1 ? 'is' : 'are'} erasure-coded, and the store does not say ` +
        'by which policy: that they survive the loss of any node is not known, so here they do not; keep the store in a ' +
        'folder of whole copies, or ask a NameNode directly';
}

/** A file that was copied within HDFS, or to another cluster, is kept as the folder says that it was copied to. */
function codeNotKept({ packs }: RiskInput): string | undefined {
  const files = packs.filter(({ code, blocks }) =>
    blocks.some((block) => code !== undefined && !isKeptIn(code, block)),
  );
  return files.length === 0
    ? undefined
    : `${named(files.map(({ name }) => name))} ${files.length === 1 ? 'was' : 'were'} written in an erasure code and ` +
        `${files.length === 1 ? 'is' : 'are'} kept in another way now, as copied files are; what that survives is what ` +
        'stands above: if it is too little, restore the snapshot and upload it again';
}

/** A short block has fewer data units than its code. One that is lost says nothing. */
function isKeptIn(code: ReedSolomon, { coding, locations }: BlockPlaces): boolean {
  if (locations.length === 0 || coding === 'unknown') {
    return true;
  }
  return (
    coding?.parityUnitCount === code.parityUnitCount && coding.dataUnitCount <= code.dataUnitCount
  );
}

function fatalNodes([now, ...others]: readonly LossScenario[]): string | undefined {
  // What keeps the guest from resuming whatever is lost is no fault of a node.
  const fatal = others.filter(
    ({ without, reasons }) => without === 'node' && reasons.join() !== now.reasons.join(),
  );
  return fatal.length === 0
    ? undefined
    : `the loss of ${fatal.length === 1 ? 'one node' : 'any one of these nodes'} is enough for the guest not to resume: ` +
        `${named(fatal.map(({ node }) => node ?? ''))}; while all are there, restore the snapshot and upload it again ` +
        'with more copies';
}

/** Packs with pages that no restore can do without, whatever it is given. */
function criticalPacks({ header, packs, pages }: RiskInput): readonly FileCopies[] {
  const isCritical = header.legend.map((label) => !isExpendable(label));
  return packs.filter((_, pack) => packHolds(pages, pack, (label) => isCritical[label]));
}

/** A label that is not known is critical, as is every doubt. */
function isExpendable(label: string): boolean {
  return pageClasses.some((entry) => entry.label === label && entry.expendable);
}

function named(names: readonly string[]): string {
  const more = names.length - namedAtMost;
  return `${names.slice(0, namedAtMost).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
