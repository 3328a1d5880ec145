// Tasks on hand-linked lists: every thread's stack, every process's page tables once, and an end in any case.
import { readTaskMemory } from '../../../introspect/kernel/tasks.js';
import { FakeKernel, firstOrdinaryPfn as first } from '../fake-kernel.js';

interface TaskSpec {
  /** First frames of the stacks of its threads. */
  readonly stacks: readonly number[];
  readonly pageTable?: bigint;
}

/** Links the nodes in a circle, the first being its head. */
function link(fake: FakeKernel, nodes: readonly bigint[]): void {
  nodes.forEach((node, index) => {
    fake.setU64(node, nodes[(index + 1) % nodes.length]);
  });
}

/** A fake kernel of these processes, the first being init_task; returned with each one's place on the list. */
function kernelOf(specs: readonly TaskSpec[]): { fake: FakeKernel; links: readonly bigint[] } {
  const fake = new FakeKernel();
  const direct = fake.memmapBase - BigInt(fake.gpaOf(fake.memmapBase));
  const links = specs.map(({ stacks, pageTable }, index) => {
    const signal = fake.allocate('signal_struct');
    const threads = stacks.map((pfn) => {
      const thread = fake.allocate('task_struct');
      fake.set('task_struct', thread, 'stack', direct + BigInt(pfn * 4096));
      return thread;
    });
    const process = threads[0];
    fake.set('task_struct', process, 'signal', signal);
    if (pageTable !== undefined) {
      const space = fake.allocate('mm_struct');
      fake.set('mm_struct', space, 'pgd', pageTable);
      fake.set('task_struct', process, 'mm', space);
    }
    link(fake, [
      fake.memberAt('signal_struct', signal, 'thread_head'),
      ...threads.map((thread) => fake.memberAt('task_struct', thread, 'thread_node')),
    ]);
    if (index === 0) {
      fake.symbols.set('init_task', process);
    }
    return fake.memberAt('task_struct', process, 'tasks');
  });
  link(fake, links);
  return { fake, links };
}

const stack = (pfn: number): readonly number[] => [pfn, pfn + 1, pfn + 2, pfn + 3];
const tableAt = (fake: FakeKernel, pfn: number): bigint =>
  fake.memmapBase - BigInt(fake.gpaOf(fake.memmapBase)) + BigInt(pfn * 4096);

test('the stacks of all threads of all processes are found, four pages each', () => {
  const { fake } = kernelOf([{ stacks: [first] }, { stacks: [first + 8, first + 16] }]);
  expect(readTaskMemory(fake.kernel)).toEqual({
    stackPfns: [...stack(first), ...stack(first + 8), ...stack(first + 16)],
    pageTableRoots: [],
  });
});

test('a page table that two processes share is named once, and a kernel thread has none', () => {
  const table = tableAt(new FakeKernel(), first + 40);
  const { fake } = kernelOf([
    { stacks: [first] },
    { stacks: [first + 8], pageTable: table },
    { stacks: [first + 16], pageTable: table },
  ]);
  expect(readTaskMemory(fake.kernel).pageTableRoots).toEqual([(first + 40) * 4096]);
});

test.each<[string, (fake: FakeKernel, links: readonly bigint[]) => void, number]>([
  [
    'runs in a circle that leaves out its head',
    (fake, links) => {
      fake.setU64(links[2], links[1]);
    },
    3,
  ],
  [
    'leads nowhere',
    (fake, links) => {
      fake.setU64(links[1], 0xdead_0000_0000_0000n);
    },
    2,
  ],
  [
    'ends in a null pointer',
    (fake, links) => {
      fake.setU64(links[1], 0n);
    },
    2,
  ],
])('a list of tasks that %s ends the walk with what was found', (_, damage, taskCount) => {
  const { fake, links } = kernelOf([
    { stacks: [first] },
    { stacks: [first + 8] },
    { stacks: [first + 16] },
  ]);
  damage(fake, links);
  expect(new Set(readTaskMemory(fake.kernel).stackPfns).size).toBe(taskCount * 4);
});

test('a kernel whose first task is not known names nothing', () => {
  expect(readTaskMemory(new FakeKernel().kernel)).toEqual({ stackPfns: [], pageTableRoots: [] });
});

test('threads whose lists run into one another are gone through once', () => {
  const { fake, links } = kernelOf([
    { stacks: [first] },
    { stacks: [first + 8, first + 16, first + 24] },
    { stacks: [first + 32] },
    { stacks: [first + 40] },
  ]);
  const intact = readTaskMemory(fake.kernel).stackPfns;
  expect(intact).toHaveLength(6 * 4);
  // The lists of the last two processes lead to the second one's threads, and not back.
  const tasksOffset = fake.memberAt('task_struct', 0n, 'tasks');
  const [, second, third, fourth] = links.map((address) => address - tasksOffset);
  const headOf = (process: bigint): bigint =>
    fake.memberAt(
      'signal_struct',
      fake.getU64(fake.memberAt('task_struct', process, 'signal')),
      'thread_head',
    );
  fake.setU64(headOf(third), fake.getU64(headOf(second)));
  fake.setU64(headOf(fourth), fake.getU64(headOf(second)));
  const damaged = readTaskMemory(fake.kernel).stackPfns;
  expect(damaged).toHaveLength(4 * 4);
  expect(new Set(damaged).size).toBe(damaged.length);
});
