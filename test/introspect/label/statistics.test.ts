// The numbers of `classify --stats`: the kernel's on one side, what was found on the other.
import { classify } from '../../../introspect/label/classify.js';
import { findKernel } from '../../../introspect/label/find-kernel.js';
import { readStatistics } from '../../../introspect/label/statistics.js';
import { openRawFile } from '../../../introspect/memory/formats/raw-file.js';
import { labelNumbers } from '../../../introspect/page-class.js';
import { fixtureGuest } from '../../guest/fixtures.js';
import { FakeKernel, firstOrdinaryPfn as first } from '../fake-kernel.js';

const bootTimeoutMs = 300_000;

test(
  "a real guest's zones count the free pages that are found, and its CPUs those on their lists",
  async () => {
    const image = openRawFile((await fixtureGuest('aged')).ramPath);
    const introspected = findKernel(image);
    const map = classify(introspected);
    const statistics = readStatistics(introspected, map);
    image.close();
    if (!statistics.available) {
      throw new Error(statistics.reason);
    }
    for (const zone of statistics.zones) {
      expect(zone.foundFreePageCount).toBe(zone.kernelFreePageCount);
    }
    const onLists = statistics.perCpu.reduce((sum, list) => sum + (list.pageCount ?? NaN), 0);
    expect(onLists).toBe(map.labels.filter((label) => label === labelNumbers['free-pcp']).length);
    const cache = statistics.counters.find(({ counter }) => counter === 'NR_FILE_PAGES');
    expect(cache?.kernelPageCount).toBeGreaterThan(30_000);
    expect(Math.abs((cache?.foundPageCount ?? 0) - (cache?.kernelPageCount ?? 0))).toBeLessThan(
      300,
    );
  },
  bootTimeoutMs,
);

test('a CPU whose list does not add up has a reason and no count', () => {
  const fake = new FakeKernel();
  fake.setPcpList(1, 0, [first]);
  fake.setPcpCount(1, 2);
  const { introspected } = fake;
  expect(readStatistics(introspected, classify(introspected))).toMatchObject({
    available: true,
    perCpu: [
      { cpu: 0, pageCount: 0, broken: undefined },
      { cpu: 1, pageCount: undefined, broken: expect.stringMatching(/states 2/) as unknown },
    ],
  });
});

test('without a kernel there is nothing to compare with', () => {
  const { ram } = new FakeKernel();
  const introspected = { found: false, memory: ram, reason: 'not a guest' } as const;
  expect(readStatistics(introspected, classify(introspected))).toEqual({
    available: false,
    reason: 'not a guest',
  });
});
