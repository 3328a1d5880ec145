import * as fc from 'fast-check';
import { labelNumbers, pageClasses } from '../../introspect/page-class.js';
import { planReplication } from '../../src/plan/plan.js';
import { defaultPolicy } from '../../src/plan/policy.js';
import { plannedRedundancy } from '../../src/plan/replication-plan.js';
import { copies, reedSolomon } from '../../src/store/redundancy.js';

test('neighbours with one label make one run', () => {
  const { free, anon } = labelNumbers;
  const plan = planReplication({ labels: Uint8Array.of(anon, free, free, anon) }, defaultPolicy);
  expect(plan).toEqual({
    pageCount: 4,
    firstPage: Uint32Array.of(0, 1, 3),
    runPageCount: Uint32Array.of(1, 2, 1),
    label: Uint8Array.of(anon, free, anon),
    replication: Uint8Array.of(3, 1, 3),
  });
});

test('runs give every page its own label and what the policy says of it', () => {
  const labelArrays = fc.array(fc.nat(pageClasses.length - 1), { maxLength: 300 });
  fc.assert(
    fc.property(labelArrays, (numbers) => {
      const plan = planReplication({ labels: Uint8Array.from(numbers) }, defaultPolicy);
      const pages: number[] = [];
      for (let run = 0; run < plan.firstPage.length; run++) {
        expect(plan.firstPage[run]).toBe(pages.length);
        expect(plan.replication[run]).toBe(defaultPolicy[pageClasses[plan.label[run]].label]);
        for (let page = 0; page < plan.runPageCount[run]; page++) {
          pages.push(plan.label[run]);
        }
      }
      expect(pages).toEqual(numbers);
    }),
  );
});

test('a label may have no copy at all', () => {
  const { free, anon } = labelNumbers;
  const plan = planReplication(
    { labels: Uint8Array.of(anon, free) },
    { ...defaultPolicy, free: 0 },
  );
  expect([...plan.replication]).toEqual([3, 0]);
});

test('no pages make no runs', () => {
  expect(planReplication({ labels: new Uint8Array() }, defaultPolicy).firstPage).toHaveLength(0);
});

test('a label number that is not known is refused with its page', () => {
  expect(() => planReplication({ labels: Uint8Array.of(0, 0, 99) }, defaultPolicy)).toThrow(
    /page 2 has label number 99, known are 0 to 27/,
  );
});

test('a code has a number of its own in the column, and the plan says which', () => {
  const { free, anon, slab } = labelNumbers;
  const policy = { ...defaultPolicy, anon: reedSolomon(6, 3), slab: reedSolomon(3, 2) };
  const plan = planReplication({ labels: Uint8Array.of(anon, free, slab, anon) }, policy);
  expect([...plan.replication].map((number) => plannedRedundancy(plan, number))).toEqual([
    reedSolomon(6, 3),
    copies(1),
    reedSolomon(3, 2),
    reedSolomon(6, 3),
  ]);
  expect(plan.codes).toHaveLength(2);
});

test('equal codes have one number, so that their pages share packs', () => {
  const { anon, slab } = labelNumbers;
  const policy = { ...defaultPolicy, anon: reedSolomon(6, 3), slab: reedSolomon(6, 3) };
  const { replication } = planReplication({ labels: Uint8Array.of(anon, slab) }, policy);
  expect(replication[0]).toBe(replication[1]);
});

test('a number of a code that the plan has not is refused', () => {
  expect(() => plannedRedundancy({ codes: [] }, 128)).toThrow(
    /0 erasure codes asks for number 128/,
  );
});
