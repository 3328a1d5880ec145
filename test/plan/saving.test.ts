import { labelNumbers } from '../../introspect/page-class.js';
import { planReplication } from '../../src/plan/plan.js';
import { defaultPolicy } from '../../src/plan/policy.js';
import { plannedSaving, storedSaving } from '../../src/plan/saving.js';

const { free, anon, slab } = labelNumbers;

test('each label has its pages, its bytes and what they take', () => {
  const labels = Uint8Array.of(anon, free, anon, free, free, slab);
  const {
    labels: lines,
    pageCount,
    total,
  } = plannedSaving(planReplication({ labels }, defaultPolicy));
  expect(pageCount).toBe(6);
  expect(
    lines.map(({ label, pageCount: pages, replication }) => [label, pages, replication]),
  ).toEqual([
    ['free', 3, 1],
    ['anon', 2, 3],
    ['slab', 1, 3],
  ]);
  expect(lines[0]).toEqual({
    label: 'free',
    expendable: true,
    replication: 1,
    pageCount: 3,
    sizeBytes: 3 * 4096,
    nativeBytes: 9 * 4096,
    chosenBytes: 3 * 4096,
    savingFraction: 1 - 1 / 3,
  });
  expect(total).toEqual({
    nativeBytes: 18 * 4096,
    chosenBytes: 12 * 4096,
    savingFraction: 1 - 12 / 18,
  });
});

test('more copies than native is a loss, and nothing saves nothing', () => {
  const plan = planReplication({ labels: Uint8Array.of(anon) }, { ...defaultPolicy, anon: 6 });
  expect(plannedSaving(plan).total.savingFraction).toBe(-1);
  const none = planReplication({ labels: new Uint8Array() }, defaultPolicy);
  expect(plannedSaving(none).total.savingFraction).toBe(0);
});

test('what is not stored counts as stored once in the total, and apart from it as not at all', () => {
  const labels = Uint8Array.of(anon, free, free, slab);
  const saving = plannedSaving(planReplication({ labels }, { ...defaultPolicy, free: 0 }));
  const once = plannedSaving(planReplication({ labels }, defaultPolicy));
  expect(saving.total).toEqual(once.total);
  expect(once.notStored).toBeUndefined();
  expect(saving.notStored).toEqual({
    pageCount: 2,
    total: { nativeBytes: 12 * 4096, chosenBytes: 6 * 4096, savingFraction: 0.5 },
  });
});

test('stored bytes are compared with the same packs kept three times', () => {
  const packs = [
    { sizeBytes: 100, replication: 3 },
    { sizeBytes: 200, replication: 1 },
  ];
  expect(storedSaving(packs)).toEqual({
    nativeBytes: 900,
    chosenBytes: 500,
    savingFraction: 1 - 500 / 900,
  });
});
