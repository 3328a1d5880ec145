import { freeContent } from '../../../../introspect/mm/free/free-content.js';
import { labelNumbers } from '../../../../introspect/page-class.js';
import { FakeKernel, firstOrdinaryPfn, frameCount } from '../../fake-kernel.js';

const pageBytes = 4096;
const free = [firstOrdinaryPfn, firstOrdinaryPfn + 100, firstOrdinaryPfn + 400];

/** Three free pages that are filled so, and a kernel whose poisoning is so; undefined where it has no such switch. */
function contentOf(fills: readonly number[], switchedOn?: boolean, namesData = true) {
  const fake = new FakeKernel();
  const labels = new Uint8Array(frameCount);
  free.forEach((pfn, index) => {
    labels[pfn] = labelNumbers.free;
    fake.ram.bytes.fill(fills[index], pfn * pageBytes, (pfn + 1) * pageBytes);
  });
  if (switchedOn !== undefined) {
    const key = fake.allocateBytes(8);
    fake.setU64(key, switchedOn ? 1n : 0n);
    fake.symbols.set('_page_poisoning_enabled', key);
  }
  if (!namesData) {
    fake.symbols.delete('__cpu_possible_mask');
  }
  return freeContent(fake.kernel, labels);
}

test.each([
  ['no poisoning in the kernel, whatever free pages hold', [0xaa, 0xaa, 0xaa], undefined, 0],
  ['poisoning switched off, whatever free pages hold', [0xaa, 0, 7], false, 0],
  ['poisoning switched on', [0xaa, 0xaa, 0xaa], true, 0xaa],
  ['poisoning switched on, with pages that it has not seen yet', [0, 0xaa, 7], true, 0xaa],
  ['poisoning with zeroes (to 5.10)', [0, 0, 0], true, 0],
])('%s', (_, fills, switchedOn, byte) => {
  expect(contentOf(fills, switchedOn)).toEqual({ byte });
});

test('poisoning switched on, and no page shows it: a doubt', () => {
  expect(contentOf([0, 7, 0], true).doubt).toContain('page poisoning is on');
});

test('the older name of the switch is known too', () => {
  const fake = new FakeKernel();
  const key = fake.allocateBytes(8);
  fake.setU64(key, 1n);
  fake.symbols.set('want_page_poisoning', key);
  expect(freeContent(fake.kernel, new Uint8Array(frameCount))).toEqual({ byte: 0xaa });
});

test.each([
  [[0, 7, 0], { byte: 0 }],
  [[0xaa, 0xaa, 0xaa], { byte: 0xaa }],
])('without symbols of data the free pages decide: %j', (fills, expected) => {
  expect(contentOf(fills, undefined, false)).toEqual(expected);
});

test('without symbols of data, and free pages that say both: a doubt', () => {
  expect(contentOf([0xaa, 0, 0xaa], undefined, false).doubt).toContain('cannot be seen');
});
