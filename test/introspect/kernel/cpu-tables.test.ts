// Whether CPUs run on a kernel's page tables, over tables built by hand.
import { isolatedRootOf, tablesOfCpus } from '../../../introspect/kernel/cpu-tables.js';
import type { CpuState } from '../../../introspect/memory/cpu-state.js';
import { Ram } from '../ram.js';

const kernelRoot = 0x10_000;
const present = 0b11n;
const image = 511;
const directMap = 273;

function ramWithTables(): Ram {
  const ram = new Ram(2 ** 20);
  setEntry(ram, kernelRoot, image, 0x5000n);
  setEntry(ram, kernelRoot, directMap, 0x6000n);
  return ram;
}

function setEntry(ram: Ram, root: number, index: number, target: bigint, flags = present): void {
  ram.bytes.writeBigUInt64LE(target | flags, root + index * 8);
}

/** A process's own table: the kernel's entries, with accessed and dirty bits, and one of its own. */
function addProcess(ram: Ram, root: number): void {
  setEntry(ram, root, image, 0x5000n, 0x63n);
  setEntry(ram, root, directMap, 0x6000n, 0x63n);
  setEntry(ram, root, 0, 0x7000n);
}

function cpu(cr3: number, changes: Partial<CpuState> = {}): CpuState {
  return {
    cr0: 0x8005_0033n,
    cr3: BigInt(cr3),
    cr4: 0x20n,
    efer: 0xd01n,
    rip: 0n,
    rsp: 0n,
    rflags: 0x202n,
    privilege: 0,
    halted: false,
    ...changes,
  };
}

const neverStarted = cpu(0, { cr0: 0x11n, cr4: 0n, efer: 0n, rflags: 2n, halted: true });

test("a CPU runs on the kernel's own table, or on that of a process", () => {
  const ram = ramWithTables();
  addProcess(ram, 0x20_000);
  expect(tablesOfCpus(ram, kernelRoot, 4, [cpu(kernelRoot), cpu(0x20_000)])).toEqual({
    shared: true,
    roots: [kernelRoot, 0x20_000],
  });
});

test('a table that the image does not reach is said to be missing, and where', () => {
  const ram = ramWithTables();
  expect(tablesOfCpus(ram, kernelRoot, 4, [cpu(kernelRoot), cpu(0x1_0123_4000)])).toEqual({
    shared: false,
    reason: expect.stringMatching(/^CPU 1 runs on other page tables \(CR3 0x101234000\)/) as string,
    missing: 0x1_0123_4000,
  });
});

test('flags and the PCID in CR3 do not count', () => {
  const ram = ramWithTables();
  addProcess(ram, 0x20_000);
  expect(tablesOfCpus(ram, kernelRoot, 4, [cpu(0x20_018)])).toMatchObject({ shared: true });
});

test('under page table isolation the table of the kernel is the page before', () => {
  const ram = ramWithTables();
  addProcess(ram, 0x20_000);
  // In user mode: the entry code and nothing else.
  setEntry(ram, 0x21_000, image, 0x9000n);
  const inUserMode = cpu(0x21_000, { privilege: 3 });
  expect(tablesOfCpus(ram, kernelRoot, 4, [inUserMode])).toEqual({
    shared: true,
    roots: [0x20_000],
  });
  expect(isolatedRootOf(inUserMode, 0x20_000)).toBe(0x21_000);
  expect(isolatedRootOf(cpu(0x20_000), 0x20_000)).toBeUndefined();
});

test('a CPU that was never started says nothing, but not every CPU may be one', () => {
  const ram = ramWithTables();
  expect(tablesOfCpus(ram, kernelRoot, 4, [cpu(kernelRoot), neverStarted])).toEqual({
    shared: true,
    roots: [kernelRoot, undefined],
  });
  expect(tablesOfCpus(ram, kernelRoot, 4, [neverStarted])).toEqual({
    shared: false,
    reason: 'no CPU was started, or all run guests of this guest',
  });
});

test('a CPU that runs a guest of the guest says nothing, but not every CPU may', () => {
  const ram = ramWithTables();
  const nested = cpu(0x30_000, { isInNestedGuest: true });
  expect(tablesOfCpus(ram, kernelRoot, 4, [nested, cpu(kernelRoot)])).toEqual({
    shared: true,
    roots: [undefined, kernelRoot],
  });
  expect(tablesOfCpus(ram, kernelRoot, 4, [nested])).toMatchObject({ shared: false });
});

test.each<[string, Partial<CpuState>]>([
  ['in firmware that runs', { halted: false }],
  ['in firmware that waits for an interrupt', { rflags: 0x202n }],
])('a CPU %s is another kernel, or none', (_, changes) => {
  const ram = ramWithTables();
  const found = tablesOfCpus(ram, kernelRoot, 4, [
    cpu(kernelRoot),
    { ...neverStarted, ...changes },
  ]);
  expect(found).toMatchObject({ shared: false });
});

test.each<[string, (ram: Ram) => void, Partial<CpuState>]>([
  [
    'lacks one of its entries',
    (ram) => {
      setEntry(ram, 0x20_000, image, 0x5000n);
    },
    {},
  ],
  [
    'has another page in one of them',
    (ram) => {
      addProcess(ram, 0x20_000);
      setEntry(ram, 0x20_000, directMap, 0x8000n);
    },
    {},
  ],
  [
    'has one of them switched off',
    (ram) => {
      addProcess(ram, 0x20_000);
      setEntry(ram, 0x20_000, directMap, 0x6000n, 0b10n);
    },
    {},
  ],
  ['is outside the RAM', () => undefined, { cr3: 2n ** 40n }],
])("a table is not the kernel's when it %s", (_, prepare, changes) => {
  const ram = ramWithTables();
  prepare(ram);
  expect(tablesOfCpus(ram, kernelRoot, 4, [cpu(0x20_000, changes)])).toMatchObject({
    shared: false,
    reason: expect.stringMatching(/^CPU 0 runs on other page tables/) as unknown,
  });
});

test('tables without a single entry for the kernel are those of no kernel', () => {
  const ram = new Ram(2 ** 20);
  expect(tablesOfCpus(ram, kernelRoot, 4, [cpu(kernelRoot)])).toMatchObject({ shared: false });
});
