// The answer first: what PARS saves of this image against the raw file three times, on what basis, at what risk, and the
// published metric beside it.
import type { Alternative, SnapshotReport } from '../model/report.js';
import { notSmallest } from '../smallest.js';
import { bytesInWords, countOf, minus, percentInWords, probabilityInWords } from '../words.js';
import { type Markup, markup } from './markup.js';

/** What this snapshot really is where it is stored, else what PARS does by default. Undefined: none is compared. */
export function ownAlternative({ alternatives }: SnapshotReport): Alternative | undefined {
  const own = alternatives.filter(({ family }) => family === 'pars');
  return (
    own.find(({ basis }) => basis === 'stored') ??
    own.find(({ id }) => id === 'pars-strict') ??
    own[0]
  );
}

export function headline(report: SnapshotReport): Markup {
  const own = ownAlternative(report);
  const { published } = report;
  const first = notSmallest(report);
  return markup`${first === undefined ? undefined : markup`<p><strong>${first}</strong></p>`}
<div class="tiles">
${own === undefined ? tile('Saving', 'not known', 'PARS is not among what could be compared.') : savingTile(report, own)}
${tile(
  'Published metric',
  percentInWords(published.savingFraction),
  `Whole pages, critical ones three times and the others once, against all three times. ` +
    `The published result of this kind is ${percentInWords(published.publishedFraction)}.`,
)}
${own === undefined ? undefined : riskTile(own)}
</div>`;
}

function savingTile({ alternatives }: SnapshotReport, own: Alternative): Markup {
  const native = alternatives.find(({ id }) => id === 'raw-r3');
  const against =
    native === undefined
      ? 'the raw file at replication 3'
      : `${bytesInWords(native.storedBytes)} of the raw file at replication 3`;
  return tile(
    `Saving of ${own.title}`,
    percentInWords(own.savingFraction),
    `${bytesInWords(own.storedBytes)} on all disks instead of ${against}. ${basisSentences[own.basis]}`,
  );
}

const basisSentences: Readonly<Record<Alternative['basis'], string>> = {
  stored: 'Basis: what the store itself says it holds.',
  measured: 'Basis: the bytes of this image, compressed as an upload does. Nothing was stored.',
  computed: 'Basis: computed by the formula below.',
};

function riskTile({ title, risk }: Alternative): Markup {
  const { doesNotResume, heals } = risk.perYear;
  const safe = risk.nodeLosses.filter((loss) => loss.doesNotResume === 0);
  const most = Math.max(0, ...safe.map(({ nodeCount }) => nodeCount));
  const without =
    most === 0
      ? 'With a node gone it may no longer resume.'
      : `With any ${countOf(most, 'node')} gone it still resumes, healed where pages are lost.`;
  return tile(
    'Lost within a year',
    probabilityInWords(doesNotResume),
    `Probability that ${title} cannot be resumed any more, by the assumptions below. ` +
      `That it has to be healed first: ${probabilityInWords(heals)}. ${without}`,
  );
}

function tile(title: string, figure: string, sentence: string): Markup {
  const sign = figure.startsWith(minus) ? markup` class="worse"` : undefined;
  return markup`
<section class="tile"><h3>${title}</h3><p class="figure"><strong${sign}>${figure}</strong></p><p>${sentence}</p></section>`;
}
