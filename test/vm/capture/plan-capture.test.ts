import fc from 'fast-check';
import { captureWays, planCapture } from '../../../src/vm/capture/plan-capture.js';
import type { VmFacts } from '../../../src/vm/capture/vm-facts.js';
import { someDisk, someFacts } from './facts.js';

const reason = fc.option(fc.string(), { nil: undefined });
const anyFacts: fc.Arbitrary<VmFacts> = fc.record({
  qemuVersion: fc.constant('7.2.0'),
  deviceIds: fc.constant([]),
  status: fc.constant('running'),
  ramSizeBytes: fc.integer({ min: 0, max: 2 ** 45 }),
  backgroundSnapshot: reason,
  diskExports: reason,
  mappedRam: reason,
  sharedRam: fc.oneof(fc.record({ path: fc.string() }), fc.record({ missing: fc.string() })),
  disks: fc.array(
    fc.integer({ min: 0, max: 2 ** 45 }).map((allocatedBytes) => ({ ...someDisk, allocatedBytes })),
    { maxLength: 4 },
  ),
  leftOut: fc.constant([]),
  settings: fc.constant(someFacts.settings),
});

test('the first way that can be had is taken, and each one before has its reason', () => {
  fc.assert(
    fc.property(anyFacts, (facts) => {
      const { way, passedOver } = planCapture(facts);
      const ways = Object.keys(captureWays);
      expect(passedOver.map((entry) => entry.way)).toEqual(ways.slice(0, ways.indexOf(way)));
      const reasons = [
        facts.backgroundSnapshot ?? (facts.disks.length > 0 ? facts.diskExports : undefined),
        facts.mappedRam,
        'missing' in facts.sharedRam ? facts.sharedRam.missing : undefined,
      ];
      expect(passedOver.map(({ why }) => why)).toEqual(reasons.slice(0, passedOver.length));
      expect(reasons[passedOver.length]).toBeUndefined();
    }),
  );
});

test('disks that are left out cost neither room nor time', () => {
  fc.assert(
    fc.property(anyFacts, (facts) => {
      const without = planCapture(facts, { withoutDisks: true });
      expect(without).toEqual(planCapture({ ...facts, disks: [] }));
      expect(without.scratchSizeBytes).toBe(facts.ramSizeBytes);
    }),
  );
});

test('a limit is kept, or the capture refused; what is allowed without it stays as it is', () => {
  fc.assert(
    fc.property(anyFacts, fc.integer({ min: 0, max: 1e6 }), (facts, maxDowntimeMs) => {
      const plan = planCapture(facts);
      const limited = () => planCapture(facts, { maxDowntimeMs });
      if (plan.expectedDowntimeMs > maxDowntimeMs) {
        expect(limited).toThrow(/more than the \d+ ms allowed, and nothing was done/);
      } else {
        expect(limited()).toEqual(plan);
      }
    }),
  );
});

test('RAM in huge pages is foretold a shorter stop, and is allowed what small pages are not', () => {
  const facts = { ...someFacts, ramSizeBytes: 2 ** 31 };
  const small = planCapture(facts);
  expect(planCapture(facts, {}, 2 ** 31)).toEqual(small);
  // As when areas of the process are more than the VM's RAM.
  expect(planCapture(facts, {}, 2 ** 32)).toEqual(small);
  const huge = planCapture(facts, {}, 0);
  expect(huge.expectedDowntimeMs).toBe(21);
  expect(small.expectedDowntimeMs).toBe(69);
  expect(planCapture(facts, { maxDowntimeMs: 30 }, 0)).toEqual(huge);
  expect(() => planCapture(facts, { maxDowntimeMs: 30 })).toThrow(/more than the 30 ms allowed/);
  const copied = { ...facts, backgroundSnapshot: 'no' };
  expect(planCapture(copied, {}, 0)).toEqual(planCapture(copied));
});

test('a VM that runs on stands still for less than one that is copied', () => {
  const { expectedDowntimeMs } = planCapture(someFacts);
  const copied = planCapture({ ...someFacts, backgroundSnapshot: 'no', mappedRam: 'no' });
  expect(copied.way).toBe('shared-ram');
  expect(expectedDowntimeMs).toBeLessThan(copied.expectedDowntimeMs);
});

test.each(['paused', 'io-error', 'inmigrate', 'postmigrate', 'guest-panicked', 'shutdown'])(
  'a VM that is %s is refused',
  (status) => {
    expect(() => planCapture({ ...someFacts, status })).toThrow(
      `the VM is ${status}: expected a running one`,
    );
  },
);
