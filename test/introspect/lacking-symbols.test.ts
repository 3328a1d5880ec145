// Kernels that are built without some symbols: a real guest's RAM in which they go by other names.
import type { KernelSymbol } from '../../introspect/kernel/kernel.js';
import { classify } from '../../introspect/label/classify.js';
import { findKernel } from '../../introspect/label/find-kernel.js';
import type { PageMap } from '../../introspect/label/page-map.js';
import { readCpuStates } from '../../introspect/memory/device-state.js';
import { openRawFile } from '../../introspect/memory/formats/raw-file.js';
import type { MemoryImage } from '../../introspect/memory/memory-image.js';
import { labelNumbers } from '../../introspect/page-class.js';
import { fixtureGuest } from '../guest/fixtures.js';
import { PatchedMemory } from './damage/patched-memory.js';
import { Places } from './damage/places.js';
import { withoutSymbols } from './damage/renamed-symbols.js';

const bootTimeoutMs = 300_000;

let original: MemoryImage;
let memory: PatchedMemory;
let places: Places;
let intact: PageMap;

beforeAll(async () => {
  const fixture = await fixtureGuest('aged');
  original = { ...openRawFile(fixture.ramPath), cpus: readCpuStates(fixture.statePath) };
  memory = new PatchedMemory(original.views[0]);
  const found = findKernel(original);
  if (!found.found) {
    throw new Error(found.reason);
  }
  intact = classify(found);
  places = new Places(found);
  memory.searchFrom = places.vmcoreinfo().offset;
}, bootTimeoutMs);

afterAll(() => {
  original.close();
});

function labelsWithout(...symbols: readonly KernelSymbol[]): PageMap {
  memory.patches = withoutSymbols(places, symbols);
  return classify(findKernel({ ...original, views: [memory] }));
}

test('CONFIG_FORCE_NR_CPUS: the number of CPUs is no variable, and the labels are the same', () => {
  expect(labelsWithout('nr_cpu_ids')).toEqual(intact);
});

test.each<[string, readonly KernelSymbol[], RegExp]>([
  [
    'CONFIG_KALLSYMS_ALL=n: no data has a symbol',
    [
      ...(['_end', 'vmcoreinfo_data', 'phys_base', 'node_data', 'mem_section'] as const),
      'vmemmap_base' as const,
      ...(['__per_cpu_offset', '__cpu_possible_mask', 'nr_cpu_ids', 'init_task'] as const),
    ],
    /kallsyms names no data \(CONFIG_KALLSYMS_ALL\), so nothing shows that VMCOREINFO is its own/,
  ],
  ['per-CPU data without a symbol', ['__per_cpu_offset'], /__per_cpu_offset is missing/],
  [
    'no symbol of CPUs, in a kernel for several',
    ['__per_cpu_offset', 'nr_cpu_ids'],
    /__per_cpu_offset is missing/,
  ],
  ['no mask of CPUs', ['__cpu_possible_mask'], /__cpu_possible_mask is missing/],
  ['no place of the memmap', ['vmemmap_base'], /not where this kernel keeps it/],
])('%s: every page is kept, and the reason is said', (_, symbols, reason) => {
  const map = labelsWithout(...symbols);
  expect(['no-kernel', 'inconsistent']).toContain(map.evidence.kind);
  expect(map.labels.every((label) => label === labelNumbers.unknown)).toBe(true);
  expect(map.warnings).toEqual([expect.stringMatching(reason)]);
});
