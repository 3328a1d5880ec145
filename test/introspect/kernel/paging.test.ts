// Page tables against a plain list of what was mapped.
import * as fc from 'fast-check';
import {
  FrameSet,
  PageTables,
  type PagingLevels,
  visitMappedPages,
  visitTablePages,
} from '../../../introspect/kernel/paging.js';
import { VirtualMemory } from '../../../introspect/kernel/virtual-memory.js';
import { Ram } from '../ram.js';
import { type LeafLevel, PageTableBuilder } from './page-table-builder.js';

const firstTable = 0x10_0000;
const ramBytes = 0x40_0000;
const leafBytes = [0, 2 ** 12, 2 ** 21, 2 ** 30];
const wholeTable = { first: 0, end: 512 };

interface Mapped {
  readonly address: bigint;
  readonly gpa: number;
  readonly leafLevel: LeafLevel;
}

function tablesFor(levels: PagingLevels, mapped: readonly Mapped[]) {
  const ram = new Ram(ramBytes);
  const builder = new PageTableBuilder(ram, levels, firstTable);
  for (const { address, gpa, leafLevel } of mapped) {
    builder.map(address, gpa, leafLevel);
  }
  return { ram, builder, tables: new PageTables(ram, builder.root, levels) };
}

/** Each in its own 1 GiB of one of six 512 GiB windows, so that no two overlap. */
function mappings(levels: PagingLevels): fc.Arbitrary<readonly Mapped[]> {
  const top = levels === 5 ? 0xff00_0000_0000_0000n : 0xffff_8000_0000_0000n;
  const one = fc
    .record({
      window: fc.constantFrom(0n, 1n, 7n, 200n, 254n, 255n),
      gib: fc.bigInt({ min: 0n, max: 511n }),
      within: fc.bigInt({ min: 0n, max: 2n ** 18n - 1n }),
      leafLevel: fc.constantFrom<LeafLevel>(1, 2, 3),
      frame: fc.nat(2 ** 26),
    })
    .map(({ window, gib, within, leafLevel, frame }) => {
      const size = leafBytes[leafLevel];
      const anywhere = top + (window << 39n) + (gib << 30n) + (within << 12n);
      return {
        address: anywhere & ~BigInt(size - 1),
        gpa: Math.floor((frame * 4096) / size) * size,
        leafLevel,
      };
    });
  return fc.uniqueArray(one, {
    minLength: 1,
    maxLength: 12,
    selector: ({ address }) => address >> 30n,
  });
}

/** The mapping with its page moved into the RAM of these tests. */
function inRam(mapped: Mapped): Mapped {
  const size = leafBytes[mapped.leafLevel];
  return { ...mapped, gpa: mapped.gpa % Math.max(size, ramBytes) };
}

describe.each([4, 5] as const)('%i levels', (levels) => {
  test('an address translates to what was mapped there, to the byte, and to nothing elsewhere', () => {
    fc.assert(
      fc.property(mappings(levels), fc.nat(), (mapped, salt) => {
        const { tables } = tablesFor(levels, mapped);
        for (const { address, gpa, leafLevel } of mapped) {
          const size = leafBytes[leafLevel];
          for (const within of [0, salt % size, size - 1]) {
            expect(tables.translate(address + BigInt(within))).toEqual({
              gpa: gpa + within,
              contiguousBytes: size - within,
              isWritable: true,
            });
          }
          const gibStart = address & ~(2n ** 30n - 1n);
          const before = address - 1n;
          const after = address + BigInt(size);
          for (const outside of [before, after].filter((at) => at >> 30n === gibStart >> 30n)) {
            expect(tables.translate(outside)).toBeUndefined();
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  test('every table page is visited once, and pages of the lowest level are named but not read', () => {
    fc.assert(
      fc.property(mappings(levels), (mapped) => {
        const { ram, builder } = tablesFor(levels, mapped);
        const visited: number[] = [];
        visitTablePages(ram, builder.root, levels, wholeTable, new Set(), (gpa) => {
          visited.push(gpa);
        });
        const ascending = [...visited].sort((a, b) => a - b);
        expect(ascending).toEqual(builder.tables.map(({ gpa }) => gpa));
        const lowest = builder.tables.filter(({ level }) => level === 1).map(({ gpa }) => gpa);
        expect(ram.readsAt.filter((gpa) => lowest.includes(gpa))).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });

  test('every mapped page is visited once, with its size', () => {
    fc.assert(
      fc.property(mappings(levels), (anywhere) => {
        const mapped = anywhere.map(inRam);
        const { ram, builder } = tablesFor(levels, mapped);
        const visited: (readonly [gpa: number, sizeBytes: number])[] = [];
        const areAllThere = visitMappedPages(
          ram,
          [builder.root],
          levels,
          wholeTable,
          (gpa, sizeBytes) => visited.push([gpa, sizeBytes]),
        );
        const sorted = (runs: readonly (readonly [number, number])[]) =>
          runs.map(([gpa, sizeBytes]) => `${gpa} ${sizeBytes}`).sort();
        expect(areAllThere).toBe(true);
        const small = mapped.filter(({ leafLevel }) => leafLevel === 1);
        const large = mapped.filter(({ leafLevel }) => leafLevel > 1);
        const runOf = ({ gpa, leafLevel }: Mapped) => [gpa, leafBytes[leafLevel]] as const;
        expect(sorted(visited)).toEqual(
          // A large page is visited once, however often it is mapped.
          [...sorted(small.map(runOf)), ...new Set(sorted(large.map(runOf)))].sort(),
        );
      }),
      { numRuns: 50 },
    );
  });
});

test('a table that is not in the RAM is told by who visits what is mapped', () => {
  const { ram, builder } = tablesFor(4, [{ address: 0x7fff_0000_0000n, gpa: 0, leafLevel: 1 }]);
  builder.setEntry(0x1000_0000n, 2, BigInt(ramBytes) | 1n);
  const visited: number[] = [];
  const areAllThere = visitMappedPages(ram, [builder.root], 4, wholeTable, (gpa) =>
    visited.push(gpa),
  );
  expect(areAllThere).toBe(false);
  expect(visited).toEqual([0]);
});

const text = 0xffff_ffff_8100_0000n;

test('an entry that is not present maps nothing, whatever else it holds', () => {
  const { builder, tables } = tablesFor(4, [{ address: text, gpa: 0x5000, leafLevel: 1 }]);
  // PROT_NONE: bit 8 stands in for the present bit.
  builder.setEntry(text, 1, 0x5000n | (1n << 8n) | 0b10n);
  expect(tables.translate(text)).toBeUndefined();
});

test('what a program can map leads to nothing: the lower half, and pages that user mode may access', () => {
  const { ram, builder, tables } = tablesFor(4, [
    { address: text, gpa: 0x5000, leafLevel: 1 },
    { address: 0x7fff_0000_0000n, gpa: 0x6000, leafLevel: 1 },
  ]);
  // Tables are kept once they were read.
  const translate = () => new PageTables(ram, builder.root, 4).translate(text);
  expect(tables.translate(text)?.gpa).toBe(0x5000);
  expect(tables.translate(0x7fff_0000_0000n)).toBeUndefined();
  expect(tables.translate(2n ** 64n + text)).toBeUndefined();
  // Allowed at every level but one is not allowed.
  const allow = (level: number) => {
    const at = builder.entryAt(text, level);
    ram.bytes.writeBigUInt64LE(ram.bytes.readBigUInt64LE(at) | (1n << 2n), at);
  };
  [4, 3, 2].forEach(allow);
  expect(translate()?.gpa).toBe(0x5000);
  allow(1);
  expect(translate()).toBeUndefined();
});

test("bit 12 of a large page's entry is a flag and not part of its address", () => {
  const { builder, tables } = tablesFor(4, []);
  builder.setEntry(text, 2, BigInt(0x4020_0000) | (1n << 12n) | (1n << 7n) | 1n);
  expect(tables.translate(text + 5n)?.gpa).toBe(0x4020_0005);
});

test('bit 7 at the lowest level is a memory type and not a size', () => {
  const { builder, tables } = tablesFor(4, []);
  builder.setEntry(text, 1, 0x5000n | (1n << 7n) | 1n);
  expect(tables.translate(text)).toEqual({
    gpa: 0x5000,
    contiguousBytes: 4096,
    isWritable: false,
  });
});

test('bit 7 above the 1 GiB level is reserved: such an entry maps nothing', () => {
  const { builder, tables } = tablesFor(4, []);
  builder.setEntry(text, 4, (1n << 7n) | 1n);
  expect(tables.translate(text)).toBeUndefined();
});

test('tables outside RAM map nothing, and are not followed further', () => {
  const { ram, builder, tables } = tablesFor(4, [{ address: text, gpa: 0x5000, leafLevel: 1 }]);
  builder.setEntry(text, 3, BigInt(ramBytes) | 1n);
  expect(tables.highestMissing).toBeUndefined();
  expect(tables.translate(text)).toBeUndefined();
  expect(tables.highestMissing).toBe(ramBytes);
  const visited: number[] = [];
  visitTablePages(ram, builder.root, 4, wholeTable, new Set(), (gpa) => visited.push(gpa));
  expect(visited).toEqual([builder.root, builder.tables[1].gpa, ramBytes]);
});

test('a table that leads to itself ends the visit and translates like any other', () => {
  const { ram, builder, tables } = tablesFor(5, []);
  for (let entry = 0; entry < 512; entry++) {
    ram.bytes.writeBigUInt64LE(BigInt(builder.root) | 1n, builder.root + entry * 8);
  }
  // Five times the same table, then what it holds is taken for a page.
  expect(tables.translate(text)?.gpa).toBe(builder.root);
  const visited: number[] = [];
  visitTablePages(ram, builder.root, 5, wholeTable, new Set(), (gpa) => visited.push(gpa));
  expect(visited).toEqual([builder.root]);
});

test('a visit of the lower half leaves out tables that only the upper half leads to', () => {
  const user = 0x7fff_0000_0000n;
  const { ram, builder } = tablesFor(4, [
    { address: user, gpa: 0x5000, leafLevel: 1 },
    { address: text, gpa: 0x6000, leafLevel: 1 },
  ]);
  const visited: number[] = [];
  visitTablePages(ram, builder.root, 4, { first: 0, end: 256 }, new Set(), (gpa) =>
    visited.push(gpa),
  );
  expect(visited).toEqual(builder.tables.slice(0, 4).map(({ gpa }) => gpa));
});

test('a root that is no page address is not visited', () => {
  const visited: number[] = [];
  visitTablePages(new Ram(8192), 8, 4, wholeTable, new Set(), (gpa) => visited.push(gpa));
  expect(visited).toEqual([]);
});

describe('reading by virtual address', () => {
  /** Two pages side by side in virtual memory, far apart and in reverse order in RAM; the next is not mapped. */
  function scattered() {
    const { ram, tables } = tablesFor(4, [
      { address: text, gpa: 0x5000, leafLevel: 1 },
      { address: text + 0x1000n, gpa: 0x3000, leafLevel: 1 },
    ]);
    return { ram, memory: new VirtualMemory(ram, tables) };
  }

  test('a read goes on in the next page, wherever that lies in RAM', () => {
    const { ram, memory } = scattered();
    ram.bytes.write('abcd', 0x5ffc);
    ram.bytes.write('efgh', 0x3000);
    expect(memory.bytes(text + 0xffcn, 8)?.toString()).toBe('abcdefgh');
    expect(memory.u64(text + 0xffcn)).toBe(Buffer.from('abcdefgh').readBigUInt64LE());
    expect(memory.string(text + 0xffcn)).toBe('abcdefgh');
  });

  test('a read that leaves the mapping fails, a string that ends right before it does not', () => {
    const { ram, memory } = scattered();
    ram.bytes.write('end', 0x3ffc);
    expect(memory.bytes(text + 0x1ffcn, 5)).toBeUndefined();
    expect(memory.u64(text + 0x1ffcn)).toBeUndefined();
    expect(memory.string(text + 0x1ffcn)).toBe('end');
    ram.bytes.write('ends', 0x3ffc);
    expect(memory.string(text + 0x1ffcn)).toBeUndefined();
  });

  test('a string without an end in sight is no name', () => {
    const { ram, memory } = scattered();
    ram.bytes.fill('x', 0x5000, 0x6000);
    expect(memory.string(text)).toBeUndefined();
  });

  test('a page whose frame lies outside RAM cannot be read', () => {
    const { ram, tables } = tablesFor(4, [{ address: text, gpa: ramBytes, leafLevel: 1 }]);
    expect(new VirtualMemory(ram, tables).bytes(text, 1)).toBeUndefined();
  });
});

test('tables are remembered in a bit each, and only those in RAM', () => {
  // A guest can make every page a table of 512 others: a set of addresses holds 17 million, and throws.
  const middleCount = 16;
  const ram = new Ram((2 + middleCount + middleCount * 512) * 4096);
  const entry = (table: number, index: number, gpa: number): void => {
    ram.bytes.writeBigUInt64LE(BigInt(gpa) | 1n, table * 4096 + index * 8);
  };
  entry(0, 0, 4096);
  for (let middle = 0; middle < middleCount; middle++) {
    entry(1, middle, (2 + middle) * 4096);
    for (let index = 0; index < 512; index++) {
      entry(2 + middle, index, (2 + middleCount + middle * 512 + index) * 4096);
    }
  }
  const seen = new FrameSet(ram);
  let count = 0;
  const visit = (): void => {
    visitTablePages(ram, 0, 5, { first: 0, end: 512 }, seen, () => count++);
  };
  visit();
  expect(count).toBe(ram.sizeBytes / 4096);
  visit();
  expect(count).toBe(ram.sizeBytes / 4096);
  expect(seen.add(ram.sizeBytes).has(ram.sizeBytes)).toBe(false);
  expect(seen.has(2 ** 51)).toBe(false);
});
