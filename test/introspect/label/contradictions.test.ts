// What labels rest on can't be given up by them: on a fake kernel, whose structures lie in frames of its own.
import { classify } from '../../../introspect/label/classify.js';
import { expectNoContradiction } from '../../../introspect/label/contradictions.js';
import type { Running } from '../../../introspect/label/find-kernel.js';
import type { CpuState } from '../../../introspect/memory/cpu-state.js';
import { labelNumbers } from '../../../introspect/page-class.js';
import { FakeKernel, firstOrdinaryPfn as first } from '../fake-kernel.js';
import { PageTableBuilder } from '../kernel/page-table-builder.js';
import type { StructPage } from '../mm/struct-page.js';

const pageBytes = 4096;
/** Frames of the fake RAM that nothing else lies in. */
const processTablesGpa = (first + 256) * pageBytes;
const codeAddress = 0xffff_8880_0000_0000n;
const userAddress = 0x40_0000n;

function guest(): FakeKernel {
  const fake = new FakeKernel();
  fake.addFreeBlock(first, 3);
  fake.setPage(first + 30, { flags: ['PG_lru', 'PG_uptodate'], mapping: fake.addFile().mapping });
  return fake;
}

function reasonOf(fake: FakeKernel, running?: Running): string | undefined {
  const { introspected } = fake;
  const { evidence } = classify(
    running === undefined ? introspected : { ...introspected, running },
  );
  return evidence.kind === 'inconsistent' ? evidence.reason : undefined;
}

const frameOf = (fake: FakeKernel, address: bigint): number =>
  Math.floor(fake.gpaOf(address) / pageBytes);

test('labels that rest on pages of the kernel alone are believed', () => {
  expect(classify(guest().introspected).evidence).toEqual({ kind: 'complete' });
});

test.each<[string, (fake: FakeKernel) => bigint]>([
  ['a zone', (fake) => fake.zone],
  ['the memory sections', (fake) => fake.section],
  ['the mask of CPUs', (fake) => fake.symbols.get('__cpu_possible_mask') ?? 0n],
  ["a CPU's free lists", (fake) => fake.pcpAt(1)],
  ['the memmap', (fake) => fake.structPageAddress(first + 30)],
])('nothing is believed where %s lies in a free page', (_, placeOf) => {
  const fake = guest();
  const pfn = frameOf(fake, placeOf(fake));
  fake.addFreeBlock(pfn, 0);
  expect(reasonOf(fake)).toBe(`frame ${pfn} holds what the labels rest on, and is labelled free`);
});

const anonymous: StructPage = {
  flags: ['PG_lru', 'PG_uptodate', 'PG_swapbacked'],
  mapping: 0xffff_8880_0000_0001n,
  refcount: 1,
};

test.each<[string, (fake: FakeKernel) => bigint]>([
  ['a zone', (fake) => fake.zone],
  ['the table of per-CPU offsets', (fake) => fake.symbols.get('__per_cpu_offset') ?? 0n],
])("nothing is believed where %s lies in a program's memory", (_, placeOf) => {
  const fake = guest();
  const pfn = frameOf(fake, placeOf(fake));
  fake.setPage(pfn, anonymous);
  expect(reasonOf(fake)).toMatch(
    new RegExp(`^frame ${pfn} holds what the labels rest on, and is labelled anon$`),
  );
});

test("nothing is believed where the inode of a file lies in a program's memory", () => {
  const fake = new FakeKernel();
  // In a frame of its own, so that nothing else is what is found.
  fake.allocateBytes(pageBytes * 2);
  const file = fake.addFile();
  fake.allocateBytes(pageBytes * 2);
  fake.setPage(first + 30, { flags: ['PG_lru', 'PG_uptodate'], mapping: file.mapping });
  expect(reasonOf(fake)).toBeUndefined();
  fake.setPage(frameOf(fake, file.inode), anonymous);
  expect(reasonOf(fake)).toMatch(/holds what the labels rest on, and is labelled anon/);
});

describe('where the CPUs are known', () => {
  /** A process with the kernel's half of the page tables, and one page of its own. */
  function withProcess(fake: FakeKernel, mappedPfn: number): Running {
    const tables = new PageTableBuilder(fake.ram, 4, processTablesGpa);
    tables.map(userAddress, mappedPfn * pageBytes, 1);
    fake.ram.bytes.copy(
      fake.ram.bytes,
      tables.root + pageBytes / 2,
      fake.tables.root + pageBytes / 2,
      fake.tables.root + pageBytes,
    );
    fake.symbols.set('entry_SYSCALL_64', codeAddress);
    return { proven: true, cpus: [cpuOn(tables.root)] };
  }

  const cpuOn = (root: number, changes: Partial<CpuState> = {}): CpuState => ({
    cr0: 0x8005_0033n,
    cr3: BigInt(root),
    cr4: 0x20n,
    efer: 0xd01n,
    lstar: codeAddress,
    rip: userAddress,
    rsp: 0x7fff_0000n,
    rflags: 0x202n,
    privilege: 3,
    halted: false,
    ...changes,
  });

  test('labels that agree with their page tables are believed', () => {
    const fake = guest();
    const running = withProcess(fake, first + 40);
    const map = classify({ ...fake.introspected, running });
    expect(map.evidence).toEqual({ kind: 'complete' });
    expect(map.kernelProof).toEqual({ proven: true, cpuCount: 1 });
  });

  test.each([
    ['a free page', first + 2, 'free'],
    ['clean cache', first + 30, 'file-reread'],
  ])('nothing is believed where a process has %s mapped', (_, pfn, label) => {
    const fake = guest();
    expect(reasonOf(fake, withProcess(fake, pfn))).toBe(
      `frame ${pfn} is mapped by a process, and labelled ${label}`,
    );
  });

  test('nothing is believed where a page table of a process is a free page', () => {
    const fake = guest();
    const running = withProcess(fake, first + 40);
    const pfn = processTablesGpa / pageBytes + 2;
    fake.addFreeBlock(pfn, 0);
    expect(reasonOf(fake, running)).toBe(
      `frame ${pfn} holds what the labels rest on, and is labelled free`,
    );
  });

  test('nothing is believed where a page table of a process that is on no CPU is a free page', () => {
    const fake = guest();
    const introspected = { ...fake.introspected, running: withProcess(fake, first + 40) };
    const tables = new PageTableBuilder(fake.ram, 4, processTablesGpa + 16 * pageBytes);
    tables.map(userAddress, (first + 41) * pageBytes, 1);
    const tasks = { stackPfns: [], pageTableRoots: [tables.root] };
    const { labels } = classify(introspected);
    expect(() => {
      expectNoContradiction(introspected, labels, tasks);
    }).not.toThrow();
    const pfn = tables.root / pageBytes + 2;
    labels[pfn] = labelNumbers.free;
    expect(() => {
      expectNoContradiction(introspected, labels, tasks);
    }).toThrow(`frame ${pfn} holds what the labels rest on, and is labelled free`);
  });

  test.each<[string, Partial<CpuState>, RegExp]>([
    ['runs on other page tables', { cr3: 0x7000n }, /runs on other page tables \(CR3 0x7000\)/],
    ['is in firmware', { cr0: 0x11n, efer: 0n }, /CPU 0 is not in long mode/],
    ['has five levels of tables', { cr4: 0x1020n }, /tables of 5 levels, and the kernel's have 4/],
    ['enters another kernel', { lstar: 0xffff_ffff_8100_0000n }, /CPU 0 enters the kernel at/],
    [
      'executes what is not mapped',
      { privilege: 0, rip: 0xffff_ffff_a000_0000n },
      /CPU 0 executes what the kernel has not mapped/,
    ],
  ])('nothing is believed where a CPU %s', (_, changes, reason) => {
    const fake = guest();
    const running = withProcess(fake, first + 40);
    const [cpu] = running.proven ? running.cpus : [];
    expect(reasonOf(fake, { proven: true, cpus: [{ ...cpu, ...changes }] })).toMatch(reason);
  });

  test('the stack that a CPU in the kernel uses is kept', () => {
    const fake = guest();
    const running = withProcess(fake, first + 40);
    const [cpu] = running.proven ? running.cpus : [];
    const inKernel = {
      ...cpu,
      privilege: 0,
      rip: codeAddress,
      rsp: codeAddress + BigInt((first + 2) * pageBytes + 128),
    };
    expect(reasonOf(fake, { proven: true, cpus: [inKernel] })).toBe(
      `frame ${first + 2} holds what the labels rest on, and is labelled free`,
    );
  });
});
