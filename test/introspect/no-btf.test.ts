// Kernels without BTF: real guests' RAM from which BTF and its symbols are gone, held against the same guests with it.
import { Explainer } from '../../introspect/explain/explain.js';
import { statedTypes } from '../../introspect/kernel/stated-types.js';
import { classify } from '../../introspect/label/classify.js';
import { findKernel } from '../../introspect/label/find-kernel.js';
import type { PageMap } from '../../introspect/label/page-map.js';
import type { CpuStates } from '../../introspect/memory/cpu-state.js';
import { readCpuStates } from '../../introspect/memory/device-state.js';
import { openRawFile } from '../../introspect/memory/formats/raw-file.js';
import type { MemoryImage } from '../../introspect/memory/memory-image.js';
import { labelNumbers, pageClasses, type PageLabel } from '../../introspect/page-class.js';
import { fixtureGuest, type FixtureName } from '../guest/fixtures.js';
import { sliceOf } from '../slice.js';
import { type Patch, PatchedMemory } from './damage/patched-memory.js';
import { Places } from './damage/places.js';
import { withoutSymbols } from './damage/renamed-symbols.js';

const bootTimeoutMs = 300_000;
const numbersOf = (...labels: readonly PageLabel[]): readonly number[] =>
  labels.map((label) => labelNumbers[label]);

const givenUp = pageClasses.filter(({ expendable }) => expendable).map(({ number }) => number);
/** Lines that free pages are found by; and, where all would take too long, of the sizes alone. */
const statedLines =
  /^((OFFSET|SIZE|LENGTH|NUMBER)\((page|zone|free_area|pglist_data|mem_section|node_data|NR_|PG_slab|PAGE_|SECTION)[^=]*=-?)(\d+)$/gm;
const sizeLines = /^((SIZE)\((page|zone|free_area|pglist_data|mem_section)\)=)(\d+)$/gm;

const names: readonly FixtureName[] = ['aged', 'aboveHole', 'oldest', 'newest'];

describe.each(sliceOf(names, 2))('the guest %s', (name) => {
  let original: MemoryImage;
  let memory: PatchedMemory;
  let cpus: CpuStates;
  let places: Places;
  let intact: PageMap;
  let gone: readonly Patch[];

  beforeAll(async () => {
    const fixture = await fixtureGuest(name);
    original = openRawFile(fixture.ramPath);
    cpus = readCpuStates(fixture.statePath);
    const found = findKernel({ ...original, cpus });
    if (!found.found) {
      throw new Error(found.reason);
    }
    memory = new PatchedMemory(found.memory);
    intact = classify(found);
    places = new Places(found);
    memory.searchFrom = places.vmcoreinfo().offset;
    gone = [
      ...withoutSymbols(places, ['__start_BTF', '__stop_BTF']),
      ...places.btf().map(({ offset, sizeBytes }) => ({ offset, bytes: Buffer.alloc(sizeBytes) })),
    ];
  }, bootTimeoutMs);

  afterAll(() => {
    original.close();
  });

  function image(from: CpuStates | undefined): MemoryImage {
    return { ...original, views: [memory], ...(from === undefined ? {} : { cpus: from }) };
  }

  function labelsWith(patches: readonly Patch[], from: CpuStates | undefined = cpus): PageMap {
    memory.patches = patches;
    return classify(findKernel(image(from)));
  }

  const framesWith = ({ labels }: PageMap, wanted: readonly number[]): readonly number[] =>
    [...labels.keys()].filter((page) => wanted.includes(labels[page]));

  test('VMCOREINFO states what BTF does', () => {
    const stated = statedTypes(places.kernel.vmcoreinfo);
    if (!stated.ok) {
      throw new Error(stated.reason);
    }
    const { btf } = places.kernel;
    const members: Readonly<Record<string, readonly string[]>> = {
      page: ['flags', 'compound_head', 'compound_info', 'lru', 'private', '_mapcount', '_refcount'],
      mem_section: ['section_mem_map'],
      free_area: ['free_list', 'nr_free'],
      zone: ['zone_start_pfn', 'managed_pages', 'spanned_pages', 'present_pages', 'free_area'],
      pglist_data: ['node_zones', 'node_start_pfn', 'node_spanned_pages'],
    };
    for (const [struct, names] of Object.entries(members)) {
      const own = stated.types.struct(struct);
      expect(own?.sizeBytes).toBe(btf.struct(struct)?.sizeBytes);
      for (const member of names) {
        expect([member, own?.member(member)]).toEqual([member, btf.struct(struct)?.member(member)]);
      }
    }
    expect(stated.types.struct('zone')?.member('vm_stat')?.offsetBytes).toBe(
      btf.struct('zone')?.member('vm_stat')?.offsetBytes,
    );
    const zones = btf.enumeration('zone_type')?.get('__MAX_NR_ZONES');
    expect(stated.types.enumeration('zone_type')?.get('__MAX_NR_ZONES')).toBe(zones);
    const freePages = btf.enumeration('zone_stat_item')?.get('NR_FREE_PAGES');
    expect(stated.types.enumeration('zone_stat_item')?.get('NR_FREE_PAGES')).toBe(freePages);
  });

  test('free pages, and those given back to the host, are the same without BTF, and nothing else is given up', () => {
    const map = labelsWith(gone);
    expect(map.evidence).toEqual({
      kind: 'partial',
      reason: 'all but free pages, as the kernel carries no BTF (CONFIG_DEBUG_INFO_BTF)',
    });
    expect(map.warnings).toHaveLength(1);
    expect(map.kernelProof).toMatchObject({ proven: true });
    for (const label of ['free', 'offline', 'not-ram'] as const) {
      expect(framesWith(map, numbersOf(label))).toEqual(framesWith(intact, numbersOf(label)));
    }
    const others = map.labels.filter(
      (label) => !numbersOf('free', 'offline', 'not-ram', 'unknown').includes(label),
    );
    expect(others).toHaveLength(0);
    expect(framesWith(map, numbersOf('free')).length).toBeGreaterThan(1000);
    expect(map.healing).toMatchObject({ freeByte: 0, memmapRuns: [] });
  });

  test('without CPUs nothing is believed, as processes cannot be seen', () => {
    const map = labelsWith(gone, { known: false, reason: 'no device state was given' });
    expect(map.evidence).toEqual({
      kind: 'no-kernel',
      reason: expect.stringMatching(
        /no BTF .* only the CPUs could show that it runs, and no device state was given/,
      ) as string,
    });
    expect(map.labels.every((label) => label === labelNumbers.unknown)).toBe(true);
  });

  test('a page is explained by what is known', () => {
    memory.patches = gone;
    const found = findKernel(image(cpus));
    const map = classify(found);
    const explainer = new Explainer(found, map);
    // The first of each lie below the hole, where a page's number is its frame's.
    for (const label of ['free', 'unknown', 'not-ram'] as const) {
      const page = map.labels.indexOf(labelNumbers[label]);
      expect(explainer.explain(page)).toMatchObject({ agrees: true, conclusion: label });
    }
  });

  test('a line of VMCOREINFO that is bent gives up no page that was critical', () => {
    const { offset, sizeBytes } = places.vmcoreinfo();
    const text = Buffer.alloc(sizeBytes);
    memory.patches = [];
    memory.readImage(offset, text);
    const lines = name === 'oldest' ? statedLines : sizeLines;
    const changes = lines === statedLines ? [8] : [8, -8, 1];
    const isFree = framesWith(intact, numbersOf('free', 'offline'));
    const given = new Set(isFree);
    for (const { index, 1: key, 4: value } of text.toString('latin1').matchAll(lines)) {
      for (const change of changes) {
        const changed = String(Math.max(0, Number(value) + change)).padStart(value.length, '0');
        if (changed.length === value.length && changed !== value) {
          const at = offset + index + key.length;
          const map = labelsWith([...gone, { offset: at, bytes: Buffer.from(changed) }]);
          const newly = framesWith(map, givenUp);
          expect([key, change, newly.filter((frame) => !given.has(frame))]).toEqual([
            key,
            change,
            [],
          ]);
        }
      }
    }
  });

  const word = (offset: number, change: (before: bigint) => bigint): Patch => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt.asUintN(64, change(places.u64(offset))));
    return { offset, bytes };
  };
  const zoneAt = (member: string, within = 0): number => {
    const found = findKernel({ ...original, cpus });
    const zone = found.found ? found.zones.at(-1) : undefined;
    return places.of(places.member('zone', zone?.address ?? 0n, member) + BigInt(within));
  };

  test('no page is given up when one zone counts other free blocks than the memmap shows', () => {
    const nrFree = Number(places.kernel.btf.struct('free_area')?.member('nr_free')?.offsetBytes);
    const map = labelsWith([...gone, word(zoneAt('free_area', nrFree), (count) => count + 1n)]);
    expect(map.evidence.kind).toBe('partial');
    expect(map.warnings.join()).toMatch(/free blocks of order 0, the memmap shows/);
    expect(framesWith(map, givenUp)).toEqual([]);
  });

  test('nor when it counts other free pages, beyond what CPUs may not have added', () => {
    const item = places.kernel.btf.enumeration('zone_stat_item')?.get('NR_FREE_PAGES') ?? 0;
    const at = zoneAt('vm_stat', item * 8);
    expect(labelsWith([...gone, word(at, (count) => count + 100n)]).warnings).toHaveLength(1);
    const map = labelsWith([...gone, word(at, (count) => count + 1000n)]);
    expect(map.warnings).toHaveLength(2);
    expect(map.warnings[1]).toMatch(/free pages, the memmap shows/);
    expect(framesWith(map, givenUp)).toEqual([]);
  });

  test.each(['zone_start_pfn', 'spanned_pages', 'present_pages', 'managed_pages'])(
    'nothing is believed when zone.%s is not what the node says',
    (member) => {
      const map = labelsWith([...gone, word(zoneAt(member), (count) => count + 0x10_0000n)]);
      expect(map.evidence.kind).toBe('no-kernel');
      expect(map.labels.every((label) => label === labelNumbers.unknown)).toBe(true);
    },
  );
});
