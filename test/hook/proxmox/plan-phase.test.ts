// What each call of vzdump makes the hook do.
import { phases, planPhase } from '../../../src/hook/proxmox/plan-phase.js';

const environment = { VMTYPE: 'qemu', HOSTNAME: 'web' };
const plan = (words: readonly string[], more: Readonly<Record<string, string>> = {}) =>
  planPhase(words, { ...environment, ...more }, '/run/%.qmp');

test('a VM is captured at the start of its backup', () => {
  expect(plan(['backup-start', 'snapshot', '105'])).toEqual({
    do: 'capture',
    vm: 'web',
    qmpPath: '/run/105.qmp',
  });
});

test('a VM without a name is called by its number, any other as it is', () => {
  const words = ['backup-start', 'snapshot', '105'];
  expect(plan(words, { HOSTNAME: '' })).toMatchObject({ vm: 'vm-105' });
  expect(plan(words, { HOSTNAME: 'web server' })).toMatchObject({ vm: 'web server' });
});

test.each(phases)('in the phase %s nothing else is captured', (phase) => {
  const expected = {
    'backup-start': 'capture',
    'backup-end': 'flush',
    'job-end': 'flush',
    'job-abort': 'flush',
  } as const satisfies Partial<Record<(typeof phases)[number], string>>;
  const { do: found } = plan([phase, 'snapshot', '105']);
  expect(found).toBe(phase in expected ? expected[phase as keyof typeof expected] : 'nothing');
});

test.each([
  ['a container', ['backup-start', 'snapshot', '105'], { VMTYPE: 'lxc' }],
  ['a VM that is stopped for it', ['backup-start', 'stop', '105'], {}],
  ['a number that is a path', ['backup-start', 'snapshot', '../105'], {}],
  ['no number', ['backup-start', 'snapshot'], {}],
  ['an unknown phase', ['backup-begin', 'snapshot', '105'], {}],
  ['nothing', [], {}],
])('%s is left alone', (_, words, more) => {
  expect(plan(words, more)).toMatchObject({ do: 'nothing', reason: expect.any(String) as string });
});
