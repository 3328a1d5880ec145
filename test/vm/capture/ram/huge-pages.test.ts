import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  inSmallPagesBytes,
  joinHugePages,
  lookForSmallPages,
  ramRanges,
} from '../../../../src/vm/capture/ram/huge-pages.js';
import { bootGuest, type Guest } from '../../../guest/guest.js';

const setUpTimeoutMs = 300_000;
const ramSizeMib = 256;
const mib = 2 ** 20;

let guest: Guest;

beforeAll(async () => {
  guest = await bootGuest({ hasPrivateRam: true, ramSizeMib, workload: 'programs' });
}, setUpTimeoutMs);

afterAll(async () => {
  await (guest as Guest | undefined)?.close();
});

test('only private memory of no file counts for which huge pages were asked, in whole huge pages', () => {
  const area = (line: string, flags: string, huge = 0): string =>
    `${line}\nSize: 4 kB\nAnonHugePages:   ${huge} kB\nVmFlags: rd wr ${flags}\n`;
  const smaps = [
    area('7f0000100000-7f0000700000 rw-p 00000000 00:00 0 ', 'mr hg dd', 4096),
    area('7f1000000000-7f1000200000 rw-p 00000000 00:00 0 ', 'mr mw'),
    area('7f2000000000-7f2000200000 rw-s 00000000 00:01 1234 /memfd:ram', 'mr hg'),
    area('7f3000000000-7f3000200000 rw-p 00000000 fe:00 99 /var/ram', 'mr hg'),
    area('7f4000000000-7f4000200000 rw-p 00000000 00:00 0 [anon]', 'sd hg', 2048),
  ].join('');
  expect(ramRanges(smaps)).toEqual([
    { start: 0x7f0000200000, end: 0x7f0000600000, hugeBytes: 4 * mib },
    { start: 0x7f4000000000, end: 0x7f4000200000, hugeBytes: 2 * mib },
  ]);
});

test('in small pages is what is resident and in no huge one, and nothing is said of a part of the RAM', () => {
  const area = (sizeKib: number, fields: string, flags: string): string =>
    `7f0000100000-7f0000700000 rw-p 00000000 00:00 0 \nSize: ${sizeKib} kB\n${fields}\nVmFlags: rd wr ${flags}\n`;
  const anonymous = area(4096, 'Rss:   3072 kB\nAnonHugePages:   2048 kB', 'mr hg');
  const shared = area(4096, 'Rss:   4096 kB\nShmemPmdMapped:   2048 kB', 'mr hg');
  const pool = area(4096, 'Rss:      0 kB\nShared_Hugetlb:   4096 kB', 'de ht');
  const program = area(8192, 'Rss:   8192 kB', 'mr');
  expect(inSmallPagesBytes(anonymous + program, 4 * mib)).toBe(mib);
  expect(inSmallPagesBytes(anonymous + shared, 8 * mib)).toBe(3 * mib);
  expect(inSmallPagesBytes(program + pool, 4 * mib)).toBe(0);
  expect(inSmallPagesBytes(program + pool, 8 * mib)).toBeUndefined();
  expect(inSmallPagesBytes('', 1)).toBeUndefined();
});

test('a running VM goes on, its RAM takes no more of the host than before, and what is in small pages is told', async () => {
  const checksums = await guest.checksums();
  const before = rssBytes();
  const inSmallPages = await joinHugePages(guest.pid, new AbortController().signal);
  // At once: the guest runs on, and takes what it writes to for the first time.
  const takenBytes = rssBytes() - before;
  expect(takenBytes).toBeLessThan(8 * mib);
  expect(inSmallPages).toBeLessThan(ramSizeMib * mib);
  const ramSizeBytes = ramSizeMib * mib;
  const foreseen = (await lookForSmallPages(guest.pid, ramSizeBytes)) ?? NaN;
  // The screen's memory is in areas of their own, and the guest writes meanwhile.
  expect(Math.abs(foreseen - (inSmallPages ?? NaN))).toBeLessThan(24 * mib);
  await sleep(1000);
  expect(await guest.checksums()).toEqual(checksums);
});

test('of memory that is not to be seen nothing is said, and an abort is heard', async () => {
  expect(await joinHugePages(2 ** 30, new AbortController().signal)).toBeUndefined();
  expect(await lookForSmallPages(2 ** 30, 1)).toBeUndefined();
  const reason = new Error('stop');
  await expect(joinHugePages(guest.pid, AbortSignal.abort(reason))).rejects.toBe(reason);
});

function rssBytes(): number {
  const status = readFileSync(`/proc/${guest.pid}/status`, 'latin1');
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
