// What the kernel counts of its pages: over all nodes, with what CPUs have not added yet.
import { nodeCounters } from '../../../../introspect/mm/zones/node-counters.js';
import { FakeKernel } from '../../fake-kernel.js';

test('counts are those of the node and of what each CPU has pending', () => {
  const fake = new FakeKernel();
  fake.setNodeCounter('NR_FILE_PAGES', 1000n);
  fake.setNodeCounter('NR_SHMEM', 70n);
  fake.setPendingNodeCounter('NR_FILE_PAGES', 0, 100);
  fake.setPendingNodeCounter('NR_FILE_PAGES', 1, -128);
  const counters = nodeCounters(fake.kernel);
  expect(counters.get('NR_FILE_PAGES')).toBe(972);
  expect(counters.get('NR_SHMEM')).toBe(70);
  expect(counters.get('NR_SWAPCACHE')).toBe(0);
});

test('counts of several nodes are added up', () => {
  const fake = new FakeKernel({ nodeCount: 3 });
  [1000n, 200n, 30n].forEach((count, node) => {
    fake.setNodeCounter('NR_ANON_MAPPED', count, node);
  });
  fake.setPendingNodeCounter('NR_ANON_MAPPED', 1, 5, 0);
  fake.setPendingNodeCounter('NR_ANON_MAPPED', 0, -7, 2);
  expect(nodeCounters(fake.kernel).get('NR_ANON_MAPPED')).toBe(1228);
});

test('a count below zero, as the kernel may have for a moment, stays one', () => {
  const fake = new FakeKernel();
  fake.setNodeCounter('NR_SHMEM', -3n);
  fake.setPendingNodeCounter('NR_SHMEM', 0, 1);
  expect(nodeCounters(fake.kernel).get('NR_SHMEM')).toBe(-2);
});

test('what stands behind the last counter is not read as one', () => {
  expect(nodeCounters(new FakeKernel().kernel).has('NR_VM_NODE_STAT_ITEMS')).toBe(false);
});

test('a node whose pending counts are not mapped is inconsistent', () => {
  const fake = new FakeKernel();
  fake.set('pglist_data', fake.nodeAt(0), 'per_cpu_nodestats', 1n << 40n);
  expect(() => nodeCounters(fake.kernel)).toThrow('the node counters of CPU 0 are not mapped');
});
