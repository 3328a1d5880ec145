// What the table of healing says holds for every label, and for none that it does not know.
import {
  healedBy,
  healingWayOf,
  healingWays,
  isHealedBy,
} from '../../../introspect/heal/healed-by.js';
import { pageClasses } from '../../../introspect/page-class.js';

test.each(pageClasses)('$label is healed if and only if it is expendable', (pageClass) => {
  const way = healedBy[pageClass.label];
  expect(way !== 'none').toBe(pageClass.expendable);
  expect(healingWayOf(pageClass.label)).toBe(way);
});

test.each([
  ['filling', ['free', 'free-pcp', 'offline']],
  ['rereading', ['file-reread']],
  ['disk', ['disk-held']],
] as const)('healed by %s: %s', (way, labels) => {
  expect(healingWays).toContain(way);
  const isHealed = isHealedBy(way);
  expect(isHealed).toHaveLength(pageClasses.length);
  expect(
    pageClasses.filter((_, number) => isHealed[number] === 1).map(({ label }) => label),
  ).toEqual(labels);
});

test.each(['', 'free2', 'constructor', '__proto__'])('a label %j is healed by nothing', (label) => {
  expect(healingWayOf(label)).toBe('none');
});
