// What a snapshot would lose if something goes, and whether its guest would resume all the same: now, without each node,
// and without everything that is kept once. Pure, from the manifest and from where the copies are.
//
// As far as that tells: a restore may still find that a page cannot be healed (src/restore/heal/heal-ram.ts).
import type { HealingWay } from '../../introspect/heal/healed-by.js';
import { healingOfLabel } from '../loss/healing-outlook.js';
import { type CountedPages, lostByLabel, withMorePacksLost } from '../loss/lost-by-label.js';
import { neededRoles } from '../loss/needed-roles.js';
import type { ManifestHeader } from '../manifest/types.js';
import { neededCount } from '../store/block-state.js';
import { type FileBeside, type FileCopies, isLost, wantedCopyCount } from './file-copies.js';

export interface LossInput extends CountedPages {
  readonly header: Pick<ManifestHeader, 'legend' | 'attachments'>;
  /** Disks that hold pages of RAM and are not stored with it. */
  readonly disksToBeGiven: readonly string[];
  /** In the order of the header. */
  readonly packs: readonly FileCopies[];
  /** The attachments and the manifest. */
  readonly beside: readonly FileBeside[];
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
  /** Lost pages by label; labels of which nothing is lost are left out. */
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

/** First what is lost now, then each node that holds anything, by name, last all that is kept once. */
export function lossScenarios(input: LossInput): readonly LossScenario[] {
  const { packs, beside } = input;
  const lostNow = lostByLabel(input, packs.length, (pack) => isLost(packs[pack]));
  const rolesNow = beside.filter(isLost).map(({ role }) => role);
  const describe = describer(input);

  const packsByNode = indicesBySoleNode(packs);
  const filesByNode = indicesBySoleNode(beside);
  const without = (morePacks: readonly number[]): Float64Array =>
    withMorePacksLost(lostNow, input, morePacks);
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

/** For each node the files that are there and would be lost with it, by their index. */
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

function describer({ header, space, disksToBeGiven }: LossInput) {
  const { legend } = header;
  const healings = legend.map((label) => healingOfLabel(label, space));
  const hasState = header.attachments.some(({ role }) => role === 'state');

  return (
    without: LossScenario['without'],
    node: string | null,
    lost: Float64Array,
    lostFiles: readonly string[],
  ): LossScenario => {
    const labels = [...legend.keys()].filter((label) => lost[label] > 0);
    const pagesOf = (way: HealingWay | 'none'): number =>
      healings.reduce((sum, healing, label) => sum + (healing.way === way ? lost[label] : 0), 0);
    const healedPageCounts = {
      filling: pagesOf('filling'),
      rereading: pagesOf('rereading'),
      disk: pagesOf('disk'),
    };
    const unhealed = labels.flatMap((label) => {
      const healing = healings[label];
      return healing.way === 'none'
        ? [{ label: legend[label], pageCount: lost[label], why: healing.why }]
        : [];
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
      unhealedPageCount: pagesOf('none'),
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
