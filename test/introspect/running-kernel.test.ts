// Which kernel is taken, in a real guest's RAM: the one that the CPUs run on, and none for a text that says otherwise.
import { classify } from '../../introspect/label/classify.js';
import { findKernel } from '../../introspect/label/find-kernel.js';
import type { PageMap } from '../../introspect/label/page-map.js';
import type { CpuStates } from '../../introspect/memory/cpu-state.js';
import { readCpuStates } from '../../introspect/memory/device-state.js';
import { openRawFile } from '../../introspect/memory/formats/raw-file.js';
import type { MemoryImage } from '../../introspect/memory/memory-image.js';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { labelNumbers } from '../../introspect/page-class.js';
import { fixtureGuest } from '../guest/fixtures.js';
import { type Patch, PatchedMemory } from './damage/patched-memory.js';
import { Places } from './damage/places.js';

const bootTimeoutMs = 300_000;

let original: MemoryImage;
let memory: PatchedMemory;
let cpus: CpuStates;
let intact: PageMap;
let text: string;
let ownPage: number;

beforeAll(async () => {
  const fixture = await fixtureGuest('aged');
  original = openRawFile(fixture.ramPath);
  memory = new PatchedMemory(original.views[0]);
  cpus = readCpuStates(fixture.statePath);
  const found = findKernel(image());
  if (!found.found) {
    throw new Error(found.reason);
  }
  intact = classify(found);
  const { offset } = new Places(found).vmcoreinfo();
  ownPage = offset / pageSizeBytes;
  const page = Buffer.alloc(pageSizeBytes);
  memory.readImage(offset, page);
  text = page.toString('latin1', 0, page.indexOf(0));
}, bootTimeoutMs);

afterAll(() => {
  original.close();
});

function image(from?: CpuStates): MemoryImage {
  return { ...original, views: [memory], ...(from === undefined ? {} : { cpus: from }) };
}

function labelsWith(patches: readonly Patch[], from?: CpuStates): PageMap {
  memory.patches = patches;
  try {
    return classify(findKernel(image(from)));
  } finally {
    memory.patches = [];
  }
}

function expectSameLabels({ labels }: PageMap): void {
  expect(Buffer.compare(labels, intact.labels)).toBe(0);
}

/** Free pages before the kernel's own VMCOREINFO, so that what is put there is met first. */
function pagesBefore(count: number): readonly number[] {
  const pages: number[] = [];
  for (let page = 256; page < ownPage && pages.length < count; page++) {
    const extent = memory.dataAt(page * pageSizeBytes);
    if (
      intact.labels[page] === labelNumbers.free &&
      extent !== undefined &&
      extent.startOffset <= page * pageSizeBytes
    ) {
      pages.push(page);
    }
  }
  expect(pages).toHaveLength(count);
  return pages;
}

const pageOf = (content: string): Buffer => {
  const page = Buffer.alloc(pageSizeBytes);
  page.write(content, 'latin1');
  return page;
};
const put = (page: number, content: string): Patch => ({
  offset: page * pageSizeBytes,
  bytes: pageOf(content),
});

test('the CPUs of the device state prove which kernel runs', () => {
  const map = labelsWith([], cpus);
  expect(map.evidence).toEqual({ kind: 'complete' });
  expect(map.kernelProof).toEqual({ proven: true, cpuCount: cpus.known ? cpus.cpus.length : 0 });
  expectSameLabels(map);
});

test('without a device state the kernel is not proven, and that is said', () => {
  expect(intact.evidence).toEqual({ kind: 'complete' });
  expect(intact.kernelProof).toEqual({ proven: false, reason: 'no device state was given' });
});

test("nothing is believed with another guest's device state", async () => {
  const { statePath } = await fixtureGuest('newest');
  const map = labelsWith([], readCpuStates(statePath));
  expect(map.evidence).toMatchObject({ kind: 'no-kernel' });
  expect(map.labels.every((label) => label === labelNumbers.unknown)).toBe(true);
}, 300_000);

const lines = ['node_data', 'mem_section', 'swapper_pg_dir', 'init_uts_ns', '_stext'] as const;
test.each(lines)(
  'a text in a free page that states another %s than the kernel changes no label',
  (line) => {
    const [page] = pagesBefore(1);
    const forged = text.replace(
      new RegExp(`^SYMBOL\\(${line}\\)=.*$`, 'm'),
      `SYMBOL(${line})=ffff888000100000`,
    );
    expect(forged).not.toBe(text);
    for (const from of [undefined, cpus]) {
      const map = labelsWith([put(page, forged)], from);
      expect(map.evidence).toEqual({ kind: 'complete' });
      expectSameLabels(map);
    }
  },
);

test('a copy of the whole text in a free page changes no label', () => {
  const [page] = pagesBefore(1);
  expectSameLabels(labelsWith([put(page, text)]));
});

test('where many pages claim to be the text, nothing is believed, and the time is bounded', () => {
  const patches = pagesBefore(200).map((page) => put(page, text));
  const map = labelsWith(patches, cpus);
  expect(map.evidence).toEqual({
    kind: 'no-kernel',
    reason: expect.stringMatching(/^too many pages claim to be VMCOREINFO/) as unknown,
  });
});
