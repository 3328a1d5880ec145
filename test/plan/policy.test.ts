import { pageClasses } from '../../introspect/page-class.js';
import { ParsError } from '../../introspect/pars-error.js';
import { parsePolicy } from '../../src/plan/parse-policy.js';
import { defaultPolicy, namedPolicies, type Policy } from '../../src/plan/policy.js';
import { reedSolomon } from '../../src/store/redundancy.js';

const strict = { allowWeakCritical: false };

function parse(text: string): Policy {
  return parsePolicy(text, 'test.yaml', strict);
}

function expectUsage(text: string, message: RegExp): void {
  let error: unknown;
  try {
    parse(text);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(ParsError);
  expect(error).toMatchObject({
    code: 'usage',
    message: expect.stringMatching(message) as unknown,
  });
}

test('by default critical pages are kept three times and expendable pages once', () => {
  for (const { label, expendable } of pageClasses) {
    expect(defaultPolicy[label]).toBe(expendable ? 1 : 3);
  }
});

test('a policy file changes what it names and nothing else', () => {
  expect(parse('replication: {free: 2, anon: 5}')).toEqual({ ...defaultPolicy, free: 2, anon: 5 });
});

test('the default for a kind holds for its labels, and a label named on its own goes before it', () => {
  const policy = parse('default: {critical: 2}\nreplication:\n  slab: 4\n');
  expect(policy).toMatchObject({ anon: 2, slab: 4, unknown: 2, free: 1 });
});

test('JSON is read as well', () => {
  expect(parse('{"replication": {"free": 2}}').free).toBe(2);
});

test('an unknown label is named together with the labels there are', () => {
  expectUsage(
    'replication: {fre: 2}',
    /^policy test.yaml: replication: no label "fre"; the labels are unknown, not-ram, free, .*hwpoison, disk-held, disk$/,
  );
});

test.each([
  ['replication: {free: -1}', /replication\.free: expected 0 copies or more/],
  ['replication: {anon: 0}', /expected copies of anon, found 0; only expendable pages/],
  ['default: {critical: 0}', /expected copies of unknown, found 0; only expendable pages/],
  ['replication: {free: 11}', /replication\.free: expected at most 10 copies/],
  ['replication: {free: 1.5}', /replication\.free: expected a whole number/],
  [
    'replication: {free: "2"}',
    /replication\.free: expected a number of copies, or a code .*found "2"/,
  ],
  [
    'default: {critical: rs-6}',
    /default\.critical: expected a number of copies, or a code such as rs-6-3, .*found "rs-6"/,
  ],
  ['replication: {anon: xor-2-2}', /replication\.anon: expected a number of copies, or a code/],
  ['replicas: {free: 2}', /the file: "replicas" is not known/],
  ['default: {free: 2}', /default: "free" is not known/],
  ['', /the file: /],
  ['- free', /the file: /],
  ['replication: {free: 1, free: 2}', /unique/],
  ['replication: {free: 2', /test\.yaml: .*line 1/],
  ['replication: *nowhere', /alias/],
])('%j is refused', (text, message) => {
  expectUsage(text, message);
});

test('critical pages may be kept in an erasure code, which one lost node does not break', () => {
  const policy = parse('default: {critical: rs-6-3}\nreplication: {slab: RS-3-2-1024k, anon: 3}');
  expect(policy).toMatchObject({
    unknown: reedSolomon(6, 3),
    slab: reedSolomon(3, 2),
    anon: 3,
    free: 1,
  });
});

test.each(['replication: {anon: 1}', 'default: {critical: 1}'])(
  '%s leaves critical pages with one copy and needs the flag',
  (text) => {
    expectUsage(
      text,
      /at least 2 copies of critical pages, found 1 for .*anon.*--allow-weak-critical/,
    );
    expect(parsePolicy(text, 'test.yaml', { allowWeakCritical: true }).anon).toBe(1);
  },
);

test('a policy file may leave expendable pages out', () => {
  expect(parse('replication: {free: 0}')).toEqual({ ...defaultPolicy, free: 0 });
});

test('lean leaves out what a restore makes anew, and critical pages have three copies under every name', () => {
  expect(namedPolicies.lean.policy).toEqual({
    ...defaultPolicy,
    free: 0,
    'free-pcp': 0,
    offline: 0,
    'disk-held': 0,
  });
  for (const { policy } of Object.values(namedPolicies)) {
    for (const { label, expendable } of pageClasses) {
      if (!expendable) {
        expect(policy[label]).toBe(3);
      }
    }
  }
});
