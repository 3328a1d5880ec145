// What a snapshot would lose if something goes, and whether its guest would resume all the same: now, without each node,
// and without everything that is kept once. Pure, from the manifest and from where the copies are.
//
// As far as that tells: a restore may still find that a page cannot be healed (heal-ram.ts).
import type { HealingWay } from '../../introspect/heal/healed-by.js';
import { notStoredOf } from '../manifest/space/spaces.js';
import type { ManifestHeader, RamSpace } from '../manifest/types.js';
import { neededCount } from '../store/block-state.js';
import { type FileBeside, type FileCopies, isLost, wantedCopyCount } from './file-copies.js';
import { healingOutlook } from '../restore/healing-outlook.js';
import type { PagesByLabel } from './pages-by-label.js';

export interface LossInput {
  readonly header: Pick<ManifestHeader, 'legend' | 'attachments'>;
  /** RAM, where there is any. */
  readonly space: RamSpace | undefined;
  /** Disks that hold pages of RAM and are not stored with it. */
  readonly disksToBeGiven: readonly string[];
  /** In the order of the header. */
  readonly packs: readonly FileCopies[];
  /** The attachments and the manifest. */
  readonly beside: readonly FileBeside[];
  /** What lies in each pack, of RAM and of disks, */
  readonly pages: PagesByLabel;
  /** and what of it cannot be read back although the pack is there. Of a pack that is lost it does not count. */
  readonly damagedPages: PagesByLabel;
}

/** `resumes-with-disk`: if a restore is given, with --disk, the disk image of the snapshot's moment. */
export type Verdict = 'resumes' | 'resumes-with-disk' | 'does-not-resume';

export interface LossScenario {
  /** What goes beyond what is gone already: nothing, `node`, or every pack that is kept once. */
  readonly without: 'nothing' | 'node' | 'single-copies';
  /** As the store names it; null unless it is one that goes. */
  readonly node: string | null;
  /** Pages that could not be read back, those among them that were never stored. */
  readonly lostPageCount: number;
  /** The same by label; labels of which nothing is lost are left out. */
  readonly lostByLabel: Readonly<Record<string, number>>;
  /** How many of them would be healed, by way. */
  readonly healedPageCounts: Readonly<Record<HealingWay, number>>;
  readonly unhealedPageCount: number;
  readonly unhealed: readonly UnhealedPages[];
  /** Roles of the files beside the pages that would be gone. */
  readonly lostFiles: readonly string[];
  readonly verdict: Verdict;
  /** Why the guest would not resume; else empty. */
  readonly reasons: readonly string[];
}

export interface UnhealedPages {
  readonly label: string;
  readonly pageCount: number;
  readonly why: string;
}

/** Without a command line that was kept the guest resumes on the same one given by hand; without these it does not. */
export const neededRoles: Readonly<Record<string, string | undefined>> = {
  manifest: 'the manifest is lost',
  body: 'a body of the manifest is lost',
  state: 'the device state is lost',
};

/** First what is lost now, then each node that holds anything, by name, last all that is kept once. */
export function lossScenarios(input: LossInput): readonly LossScenario[] {
  const { space, packs, beside, pages, damagedPages } = input;
  const lostNow = notStoredPages(space, pages.labelCount);
  packs.forEach((file, pack) => {
    addPages(lostNow, isLost(file) ? pages : damagedPages, pack);
  });
  const rolesNow = beside.filter(isLost).map(({ role }) => role);
  const describe = describer(input);

  const packsByNode = indicesBySoleNode(packs);
  const filesByNode = indicesBySoleNode(beside);
  const without = (morePacks: readonly number[]): Float64Array => {
    const lost = lostNow.slice();
    for (const pack of morePacks) {
      addPages(lost, pages, pack);
      addPages(lost, damagedPages, pack, -1);
    }
    return lost;
  };
  const singles = [...packs.keys()].filter(
    (pack) => wantedCopyCount(packs[pack]) === 1 && !isLost(packs[pack]),
  );
  return [
    describe('nothing', null, lostNow, rolesNow),
    ...nodesOf([...packs, ...beside]).map((node) =>
      describe('node', node, without(packsByNode.get(node) ?? []), [
        ...rolesNow,
        ...(filesByNode.get(node) ?? []).map((file) => beside[file].role),
      ]),
    ),
    describe('single-copies', null, without(singles), rolesNow),
  ];
}

/** Every node that holds a copy, by name. */
function nodesOf(files: readonly FileCopies[]): readonly string[] {
  return [
    ...new Set(files.flatMap(({ blocks }) => blocks.flatMap(({ locations }) => locations))),
  ].sort();
}

/** Of the files that are there, those that would be lost with a node. */
function indicesBySoleNode(files: readonly FileCopies[]): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>();
  files.forEach((file, index) => {
    if (isLost(file)) {
      return;
    }
    const nodes = file.blocks.flatMap((block) =>
      block.locations.filter(
        (node) => block.locations.filter((other) => other !== node).length < neededCount(block),
      ),
    );
    for (const node of new Set(nodes)) {
      const indices = found.get(node);
      if (indices === undefined) {
        found.set(node, [index]);
      } else {
        indices.push(index);
      }
    }
  });
  return found;
}

function notStoredPages(space: RamSpace | undefined, labelCount: number): Float64Array {
  const pages = new Float64Array(labelCount);
  const notStored = notStoredOf(space);
  space?.labelRuns.label.forEach((label, run) => {
    if (notStored.includes(label)) {
      pages[label] += space.labelRuns.pageCount[run];
    }
  });
  return pages;
}

function addPages(
  sum: Float64Array,
  { labelCount, counts }: PagesByLabel,
  pack: number,
  sign: 1 | -1 = 1,
): void {
  for (let label = 0; label < labelCount; label++) {
    sum[label] += sign * counts[pack * labelCount + label];
  }
}

function describer({ header, space, disksToBeGiven }: LossInput) {
  const { legend } = header;
  // A page of each label, to learn how those are healed.
  const outlook = healingOutlook(
    space,
    header,
    legend.map((_, label) => ({ firstPage: label, pageCount: 1, label, reason: 'lost' })),
  );
  const whyNot = new Map(outlook.none.map(({ label, why }) => [label, why]));
  const hasState = header.attachments.some(({ role }) => role === 'state');

  return (
    without: LossScenario['without'],
    node: string | null,
    lost: Float64Array,
    lostFiles: readonly string[],
  ): LossScenario => {
    const labels = [...legend.keys()].filter((label) => lost[label] > 0);
    const pagesOf = (healed: readonly { readonly label: number }[]): number =>
      healed.reduce((sum, { label }) => sum + lost[label], 0);
    const healedPageCounts = {
      filling: pagesOf(outlook.filling),
      rereading: pagesOf(outlook.rereading),
      disk: pagesOf(outlook.disk),
    };
    const unhealed = labels.flatMap((label) => {
      const why = whyNot.get(label);
      return why === undefined ? [] : [{ label: legend[label], pageCount: lost[label], why }];
    });
    const reasons = [
      ...(unhealed.length === 0
        ? []
        : [
            `pages that cannot be healed are lost: ${unhealed
              .map(({ label, pageCount }) => `${pageCount} ${label}`)
              .join(', ')}`,
          ]),
      ...lostFiles.map((role) => neededRoles[role]).filter((reason) => reason !== undefined),
      ...(hasState ? [] : ['no device state is kept with it']),
    ];
    return {
      without,
      node,
      lostPageCount: lost.reduce((sum, count) => sum + count, 0),
      lostByLabel: Object.fromEntries(labels.map((label) => [legend[label], lost[label]])),
      healedPageCounts,
      unhealedPageCount: pagesOf(outlook.none),
      unhealed,
      lostFiles,
      verdict:
        reasons.length > 0
          ? 'does-not-resume'
          : healedPageCounts.disk > 0 && disksToBeGiven.length > 0
            ? 'resumes-with-disk'
            : 'resumes',
      reasons,
    };
  };
}
