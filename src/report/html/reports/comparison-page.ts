// Two snapshots side by side: what each saves, and by how much labels and alternatives differ.
import { pageSizeBytes } from '../../../../introspect/memory/physical-memory.js';
import type { Alternative, ComparisonReport, SnapshotReport } from '../../model/report.js';
import {
  bytesInWords,
  countInWords,
  percentInWords,
  probabilityInWords,
  signed,
} from '../../words.js';
import { formulaCaption, formulaTable, notKnown, yesOrNo } from '../alternatives.js';
import type { Charts } from '../charts/charts.js';
import { labelDifferenceChart, type LabelPair } from '../charts/label-difference-chart.js';
import type { MemoryMapData } from '../charts/memory-map.js';
import { type AlternativePair, storedDifferenceChart } from '../charts/stored-difference-chart.js';
import { ownAlternative } from '../headline.js';
import { type Content, type Markup, markup } from '../markup.js';
import { assumptionFacts, methodList, notComparedList } from '../method.js';
import type { Page, Section } from '../sections.js';
import { evidenceWarning, nameOf, subjectFacts } from '../subject.js';
import { labelOrder, swatch } from '../swatch.js';
import { table } from '../table.js';
import { mapSection } from './snapshot-page.js';

const ordinals = ['first', 'second'];

export function comparisonPage(
  charts: Charts,
  { before, after }: ComparisonReport,
  maps: readonly MemoryMapData[],
): Page {
  const labels = labelPairs(before, after);
  const { both, rows } = alternativePairs(before, after);
  const names = [nameOf(before.subject), nameOf(after.subject)];
  const sections: readonly Section[] = [
    {
      id: 'saving',
      title: 'What each saves',
      content: markup`<div class="side-by-side">${side('First', before)}${side('Second', after)}</div>`,
    },
    {
      id: 'alternatives',
      title: 'Against the alternatives',
      content: [
        both.length === 0
          ? markup`<p>The two have no alternative in common.</p>`
          : storedDifferenceChart(charts, 'stored-chart', both),
        alternativeTable(rows, ownAlternative(after)?.title),
      ],
    },
    {
      id: 'labels',
      title: 'Memory by label',
      content: [labelDifferenceChart(charts, 'label-chart', labels), labelTable(labels)],
    },
    ...mapSection(
      // They may be of the same VM.
      maps.map((map, index) => ({ ...map, title: `${map.title}, ${ordinals[index]}` })),
    ),
    { id: 'not-compared', title: 'Not compared', content: ofBoth(before, after, notComparedList) },
    {
      id: 'method',
      title: 'Assumptions, formulas and sources',
      content: [
        ofBoth(before, after, ({ assumptions }) => assumptionFacts(assumptions)),
        methodList(),
        formulaTable(before, 'formula-table-first', `${formulaCaption}: first`),
        formulaTable(after, 'formula-table-second', `${formulaCaption}: second`),
      ],
    },
  ];
  return {
    title:
      names[0] === names[1] ? `Two snapshots of ${names[0]}` : `${names[0]} beside ${names[1]}`,
    summary: 'What they save, and where they differ. Differences are second less first.',
    sections,
  };
}

function side(title: string, report: SnapshotReport): Markup {
  const own = ownAlternative(report);
  return markup`
<section class="tile"><h3>${title}</h3>
<p class="figure"><strong>${own === undefined ? 'not known' : percentInWords(own.savingFraction)}</strong></p>
<p>${
    own === undefined
      ? 'PARS is not among what could be compared.'
      : `saved by ${own.title}: ${bytesInWords(own.storedBytes)} on all disks (basis: ${own.basis}).`
  } By the published metric ${percentInWords(report.published.savingFraction)}; the published result of this kind is ${percentInWords(report.published.publishedFraction)}.</p>
${evidenceWarning(report.subject)}
${subjectFacts(report.subject)}
</section>`;
}

/** Once, where it is the same for both. */
function ofBoth(
  before: SnapshotReport,
  after: SnapshotReport,
  content: (report: SnapshotReport) => Markup,
): Content {
  const [first, second] = [content(before), content(after)];
  return first.text === second.text
    ? first
    : markup`<h3>First</h3>${first}<h3>Second</h3>${second}`;
}

/** Every label that either has, in the order of the legend. */
function labelPairs(before: SnapshotReport, after: SnapshotReport): readonly LabelPair[] {
  const [first, second] = [before, after].map(
    ({ labels }) => new Map(labels.map(({ label, pageCount }) => [label, pageCount])),
  );
  return labelOrder
    .map((label) => ({
      label,
      beforeCount: first.get(label) ?? 0,
      afterCount: second.get(label) ?? 0,
    }))
    .filter(({ beforeCount, afterCount }) => beforeCount + afterCount > 0);
}

function labelTable(pairs: readonly LabelPair[]): Markup {
  return table({
    id: 'label-table',
    caption: 'Pages by label',
    columns: [
      {
        title: 'Label',
        alignment: 'left',
        isRowHeader: true,
        cell: ({ label }) => markup`<span class="whole">${swatch(label)} ${label}</span>`,
      },
      { title: 'First', alignment: 'right', cell: (row) => countInWords(row.beforeCount) },
      { title: 'Second', alignment: 'right', cell: (row) => countInWords(row.afterCount) },
      {
        title: 'Difference',
        alignment: 'right',
        cell: (row) => differenceInWords(row.afterCount - row.beforeCount, countInWords),
      },
      {
        title: 'Size',
        alignment: 'right',
        cell: (row) =>
          differenceInWords((row.afterCount - row.beforeCount) * pageSizeBytes, bytesInWords),
      },
    ],
    rows: pairs,
  });
}

interface AlternativeRow {
  readonly title: string;
  readonly before: Alternative | undefined;
  readonly after: Alternative | undefined;
}

/** In the order of the first, then what only the second has. */
function alternativePairs(before: SnapshotReport, after: SnapshotReport) {
  const ids = [
    ...new Set([...before.alternatives, ...after.alternatives].map((entry) => entry.id)),
  ];
  const both: AlternativePair[] = [];
  const rows: AlternativeRow[] = [];
  for (const id of ids) {
    const first = before.alternatives.find((entry) => entry.id === id);
    const second = after.alternatives.find((entry) => entry.id === id);
    const title = (first ?? second)?.title ?? id;
    rows.push({ title, before: first, after: second });
    if (first !== undefined && second !== undefined) {
      both.push({ id, title, before: first, after: second });
    }
  }
  return { both, rows };
}

function alternativeTable(rows: readonly AlternativeRow[], ownTitle: string | undefined): Markup {
  const ofEach = (words: (alternative: Alternative) => Content) => ({
    before: ({ before }: AlternativeRow) => (before === undefined ? notKnown : words(before)),
    after: ({ after }: AlternativeRow) => (after === undefined ? notKnown : words(after)),
  });
  const stored = ofEach(({ storedBytes }) => bytesInWords(storedBytes));
  const saving = ofEach(({ savingFraction }) => percentInWords(savingFraction));
  const risk = ofEach(({ risk: { perYear } }) => probabilityInWords(perYear.doesNotResume));
  const resumes = ofEach((alternative) => yesOrNo(alternative.resumes));
  const right = 'right' as const;
  return table<AlternativeRow>({
    id: 'alternatives-table',
    caption: 'What each alternative takes, saves and risks',
    columns: [
      { title: 'Alternative', alignment: 'left', isRowHeader: true, cell: ({ title }) => title },
      { title: 'Stored, first', alignment: right, cell: stored.before },
      { title: 'second', alignment: right, cell: stored.after },
      {
        title: 'Difference',
        alignment: right,
        cell: ({ before, after }) =>
          before === undefined || after === undefined
            ? notKnown
            : differenceInWords(after.storedBytes - before.storedBytes, bytesInWords),
      },
      { title: 'Saving, first', alignment: right, cell: saving.before },
      { title: 'second', alignment: right, cell: saving.after },
      { title: 'Resumes, first', alignment: 'left', cell: resumes.before },
      { title: 'second', alignment: 'left', cell: resumes.after },
      { title: 'Lost within a year, first', alignment: right, cell: risk.before },
      { title: 'second', alignment: right, cell: risk.after },
    ],
    rows,
    isEmphasised: ({ title }) => title === ownTitle,
  });
}

function differenceInWords(difference: number, words: (value: number) => string): string {
  return signed(words(difference), difference);
}
