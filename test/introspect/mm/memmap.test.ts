// Where the memmap lies, as its sections state it.
import { Inconsistency } from '../../../introspect/inconsistency.js';
import { MemmapLookup, openMemmap } from '../../../introspect/mm/memmap.js';
import { withTypes } from '../changed-types.js';
import { FakeKernel, frameCount } from '../fake-kernel.js';

const sectionPages = 2 ** 15;
/** Bits of section_mem_map: present, has a memmap, online, early. */
const online = 0b1111n;

test('the flags of a section are no part of the address, up to bit 5', () => {
  const fake = new FakeKernel();
  fake.setU64(fake.section, fake.memmapBase | 0b11_1111n);
  expect(openMemmap(fake.kernel, frameCount).base).toBe(fake.memmapBase);
});

test('a section counts only when it has a memmap and is online', () => {
  const fake = new FakeKernel();
  const states = [online, 0b1011n, 0b0001n, 0n, 0b1101n, online];
  states.forEach((state, section) => {
    fake.setU64(fake.section + BigInt(section * 16), state === 0n ? 0n : fake.memmapBase | state);
  });
  const memmap = openMemmap(fake.kernel, 6 * sectionPages);
  expect(memmap.sectionPageCount).toBe(sectionPages);
  const found = states.map((_, section) => memmap.isOnline(section));
  expect(found).toEqual([true, false, false, false, false, true]);
});

test('sections that put the memmap at different places are inconsistent', () => {
  const fake = new FakeKernel();
  fake.setU64(fake.section + 16n, (fake.memmapBase + 0x1000n) | online);
  expect(() => openMemmap(fake.kernel, 2 * sectionPages)).toThrow(Inconsistency);
  // A section beyond the image is not asked.
  expect(openMemmap(fake.kernel, sectionPages).base).toBe(fake.memmapBase);
});

test('reading struct pages that are not mapped is inconsistent', () => {
  const fake = new FakeKernel();
  const memmap = openMemmap(fake.kernel, frameCount);
  expect(() => {
    memmap.read(2 ** 30, Buffer.alloc(64));
  }).toThrow(new Inconsistency('the memmap of frame 1073741824 is not mapped'));
});

test('a lookup finds the frame of a list link, and none for any other address', () => {
  const fake = new FakeKernel();
  const lookup = new MemmapLookup(fake.kernel, openMemmap(fake.kernel, frameCount));
  expect(lookup.pfnOf(fake.structPageAddress(77) + 8n, 8)).toBe(77);
  expect(lookup.pfnOf(fake.structPageAddress(77) + 16n, 8)).toBeUndefined();
  expect(lookup.pfnOf(fake.memmapBase - 56n, 8)).toBeUndefined();
  fake.setPage(77, { compoundHead: 0x1234n });
  const word = Buffer.alloc(8);
  expect(lookup.read(77, 8, word)).toBe(true);
  expect(word.readBigUInt64LE()).toBe(0x1234n);
  expect(lookup.read(2 ** 30, 8, word)).toBe(false);
});

test.each([0, 4097, 2 ** 24])(
  'sections of %i bytes each are not understood, at once',
  (sizeBytes) => {
    const kernel = withTypes(new FakeKernel().kernel, { sizes: { mem_section: sizeBytes } });
    expect(() => openMemmap(kernel, frameCount)).toThrow(
      new Inconsistency(`struct mem_section of ${sizeBytes} bytes`),
    );
  },
);
