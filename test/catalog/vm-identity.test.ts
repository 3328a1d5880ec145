// Snapshots are counted together only where name and identity are the same.
import { planRetention } from '../../src/catalog/retention.js';
import { clashSentences, vmKey } from '../../src/catalog/vm-identity.js';
import type { VmIdentity } from '../../src/manifest/types.js';

const real: VmIdentity = { uuid: 'd47c9da9-3465-4119-8831-c70d4113f209', host: 'a' };
const dropped: VmIdentity = { id: 'dir:1000:/srv/dumps', host: 'a' };
const dayMs = 86_400_000;

const snapshot = (id: string, day: number, identity?: VmIdentity, vm = 'web') => ({
  id,
  vm,
  identity,
  createdMs: day * dayMs,
});

const removed = (snapshots: readonly ReturnType<typeof snapshot>[]) =>
  planRetention(snapshots, { keepLast: 1 }, { nowMs: 100 * dayMs })
    .filter(({ keptFor }) => keptFor.length === 0)
    .map(({ snapshot: { id } }) => id);

test('newer snapshots of another VM with the same name cost a VM none of its own', () => {
  const all = [
    snapshot('r1', 1, real),
    snapshot('r2', 2, real),
    snapshot('d1', 3, dropped),
    snapshot('d2', 4, dropped),
  ];
  expect(removed(all)).toEqual(['r1', 'd1']);
});

test('snapshots without an identity are a VM of their own under the name', () => {
  expect(removed([snapshot('old', 1), snapshot('new', 2, real)])).toEqual([]);
  expect(removed([snapshot('1', 1), snapshot('2', 2)])).toEqual(['1']);
});

test.each([
  [
    { id: 'proxmox:105', host: 'n1' },
    { id: 'proxmox:106', host: 'n1' },
  ],
  [
    { id: 'proxmox:105', host: 'n1' },
    { id: 'proxmox:105', host: 'n2' },
  ],
  [
    { uuid: 'x', host: 'n1' },
    { uuid: 'x', host: 'n2' },
  ],
  [{ uuid: 'x' }, { id: 'x' }],
])('%j and %j are two VMs', (a, b) => {
  expect(vmKey({ vm: 'web', identity: a })).not.toBe(vmKey({ vm: 'web', identity: b }));
});

test('a name that several VMs have is told, with what tells them apart', () => {
  expect(clashSentences([snapshot('1', 1, real), snapshot('2', 2, real)])).toEqual([]);
  expect(clashSentences([snapshot('1', 1, real), snapshot('2', 2, real, 'db')])).toEqual([]);
  const [sentence, ...rest] = clashSentences([
    snapshot('1', 1, real),
    snapshot('2', 2, dropped),
    snapshot('3', 3),
  ]);
  expect(rest).toEqual([]);
  expect(sentence).toMatch(/^3 VMs are called web.*UUID d47c9da9.*id dir:1000.*\(no identity\)/);
});
