// What `pars kernel` states of a real guest, held against the guest's own bytes: every address must lead where it says.
import {
  describeKernel,
  type KernelDescription,
} from '../../../introspect/explain/describe-kernel.js';
import { findKernel, type Introspected } from '../../../introspect/label/find-kernel.js';
import { openRawFile } from '../../../introspect/memory/formats/raw-file.js';
import type { MemoryImage } from '../../../introspect/memory/memory-image.js';
import { fixtureGuest } from '../../guest/fixtures.js';
import { FakeKernel, frameCount, zoneStart } from '../fake-kernel.js';

const bootTimeoutMs = 300_000;

describe('a guest of 512 MiB with two CPUs', () => {
  let image: MemoryImage | undefined;
  let found: Introspected & { readonly found: true };
  let kernel: KernelDescription;

  beforeAll(async () => {
    image = openRawFile((await fixtureGuest('aged')).ramPath);
    const introspected = findKernel(image);
    if (!introspected.found) {
      throw new Error(introspected.reason);
    }
    found = introspected;
    kernel = describeKernel(introspected);
  }, bootTimeoutMs);
  afterAll(() => {
    image?.close();
  });

  test('VMCOREINFO is where it says, and states the release and the build id', () => {
    const page = Buffer.alloc(4096);
    found.memory.readImage(kernel.vmcoreinfo?.imageOffset ?? -1, page);
    const text = page.toString('latin1', 0, page.indexOf(0));
    expect(text.split('\n')).toEqual(
      expect.arrayContaining([
        `OSRELEASE=${kernel.release}`,
        `BUILD-ID=${kernel.buildId}`,
        `KERNELOFFSET=${kernel.kaslrOffset?.toString(16) ?? ''}`,
        `NUMBER(phys_base)=${kernel.physicalBase ?? ''}`,
      ]),
    );
    // One region from 0: both ways to name the byte are the same number.
    expect(kernel.vmcoreinfo?.gpa).toBe(kernel.vmcoreinfo?.imageOffset);
  });

  test('text, bases and top-level page table agree with the page tables', () => {
    const { memory } = found.kernel;
    expect(memory.translate(kernel.text.start ?? 0n)).toBe(kernel.text.gpa);
    expect(kernel.text.end).toBeGreaterThan(kernel.text.start ?? 0n);
    const directMap = kernel.directMapBase ?? 0n;
    for (const gpa of [0x10_0000, kernel.pageTableRoot, found.memory.sizeBytes / 2]) {
      expect(memory.translate(directMap + BigInt(gpa))).toBe(gpa);
    }
    expect(kernel.vmemmapBase).toBe(kernel.memmap.base);
    expect(memory.translate(kernel.vmallocBase ?? 0n)).not.toBeUndefined();
    expect([4, 5]).toContain(kernel.pagingLevels);
  });

  test('its types and symbols are counted', () => {
    expect(kernel.kallsyms.symbolCount).toBeGreaterThan(50_000);
    expect(kernel.btf.typeCount).toBeGreaterThan(50_000);
    const magic = found.kernel.memory.bytes(kernel.btf.address ?? 0n, 2);
    expect(magic?.toString('hex')).toBe('9feb');
  });

  test('its zones hold what its node holds, and its CPUs are there', () => {
    expect(kernel.zones.map(({ name }) => name)).toEqual(['DMA', 'DMA32']);
    const present = kernel.zones.reduce((sum, zone) => sum + (zone.presentPageCount ?? NaN), 0);
    expect(kernel.nodes).toEqual([expect.objectContaining({ presentPageCount: present })]);
    for (const zone of kernel.zones) {
      expect(zone.managedPageCount).toBeLessThanOrEqual(zone.presentPageCount ?? NaN);
      expect(zone.freePageCount).toBeLessThanOrEqual(zone.managedPageCount ?? NaN);
    }
    expect(kernel.cpus.map(({ number, online }) => ({ number, online }))).toEqual([
      { number: 0, online: true },
      { number: 1, online: true },
    ]);
    expect(kernel.memmap).toMatchObject({
      structPageBytes: 64,
      sectionBytes: 2 ** 27,
      onlineSectionCount: 4,
      sectionCount: 4,
    });
  });
});

test('what a kernel does not say is left out, not made up', () => {
  const described = describeKernel(new FakeKernel().introspected);
  expect(described).toMatchObject({
    vmcoreinfo: undefined,
    kaslrOffset: undefined,
    directMapBase: undefined,
    zones: [
      { name: 'zone 1', startPfn: zoneStart, endPfn: frameCount, managedPageCount: undefined },
    ],
  });
  expect(described.cpus.every(({ online }) => !online)).toBe(true);
});
