// How each label's pages are healed, by what the snapshot has for it; and that every lost run has one fate.
import { healedBy } from '../../introspect/heal/healed-by.js';
import { pageClasses } from '../../introspect/page-class.js';
import {
  type HealedSpace,
  healingOfLabel,
  healingOutlook,
} from '../../src/loss/healing-outlook.js';
import { healingFacts } from '../restore/healing-facts.js';

const legend = pageClasses.map(({ label }) => label);
const diskHeld = {
  disks: [{ name: 'vda', sizeBytes: 4096 }],
  page: Uint32Array.of(0),
  disk: Uint8Array.of(0),
  offsetBytes: Float64Array.of(0),
  hash: new Uint8Array(16),
};
const whole = { healing: healingFacts, diskHeld };

test.each(legend)('a snapshot that has all heals %s as the table says', (label) => {
  const way = healedBy[label];
  expect(healingOfLabel(label, whole)).toEqual(
    way === 'none' ? { way, why: `pages labelled ${label} are critical` } : { way },
  );
});

const withoutFacts = 'the snapshot was made without what healing needs';
const withoutPlaces = 'the snapshot does not say where on a disk they are';

test.each<[string, HealedSpace, Record<string, string | undefined>]>([
  ['facts', { diskHeld }, { filling: withoutFacts, rereading: withoutFacts }],
  ['places on disks', { healing: healingFacts }, { disk: withoutPlaces }],
  ['RAM', undefined, { filling: withoutFacts, rereading: withoutFacts, disk: withoutPlaces }],
])('without %s what needs them is not healed, with the reason', (_, space, whyNot) => {
  for (const label of legend) {
    const way = healedBy[label];
    const why = whyNot[way];
    expect(healingOfLabel(label, space)).toEqual(
      why === undefined ? healingOfLabel(label, whole) : { way: 'none', why },
    );
  }
});

test('every lost run is in one list, ascending, a label of a newer program among those not healed', () => {
  const lost = [...legend, 'of-tomorrow'].map((_, label) => ({
    firstPage: 2 * label,
    pageCount: 1,
    label,
    reason: 'lost' as const,
  }));
  const outlook = healingOutlook(whole, { legend: [...legend, 'of-tomorrow'] }, lost);
  const { filling, rereading, disk, none } = outlook;
  for (const runs of [filling, rereading, disk, none]) {
    expect(runs.map(({ label }) => label)).toEqual(
      runs.map(({ label }) => label).sort((a, b) => a - b),
    );
  }
  expect([...filling, ...rereading, ...disk, ...none].map(({ label }) => label).sort()).toEqual(
    lost.map(({ label }) => label).sort(),
  );
  expect(none.at(-1)).toMatchObject({ why: 'pages labelled of-tomorrow are critical' });
});
