// Labels as a page carries them are those of the image, in few bytes, and never too many for a browser.
import { inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { labelNumbers, pageClasses } from '../../../../introspect/page-class.js';
import { embedLabels } from '../../../../src/report/html/charts/label-runs.js';
import { noLabel } from '../../../../src/report/memory-cells.js';
import { memoryMapData } from '../sample-reports.js';

const pageSizeBytes = 4096;
const gib = 2 ** 30;

function decode(runs: string): readonly number[] {
  const bytes = inflateRawSync(Buffer.from(runs, 'base64'));
  const labels: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const label = bytes[at++];
    let length = 0;
    let factor = 1;
    for (; bytes[at] >= 0x80; factor *= 128) {
      length += (bytes[at++] - 0x80) * factor;
    }
    length += bytes[at++] * factor;
    labels.push(...new Array<number>(length).fill(label));
  }
  return labels;
}

test('every page has its label again', () => {
  const run = fc.record({
    label: fc.nat(pageClasses.length - 1),
    length: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 40_000 })),
  });
  fc.assert(
    fc.property(fc.array(run, { minLength: 1, maxLength: 12 }), (runs) => {
      const labels = Uint8Array.from(
        runs.flatMap(({ label, length }) => new Array<number>(length).fill(label)),
      );
      const sizeBytes = labels.length * pageSizeBytes;
      const embedded = embedLabels([{ gpaStart: 0, sizeBytes, imageOffset: 0 }], labels);
      expect(embedded.pagesPerCell).toBe(1);
      expect(embedded.spans).toEqual([{ firstPfn: 0, pageCount: labels.length }]);
      expect(decode(embedded.runs)).toEqual([...labels]);
    }),
    { numRuns: 50 },
  );
});

test('a guest of 2 GiB takes some tens of kilobytes, and its hole is one', () => {
  const { regions, labels } = memoryMapData();
  const { spans, runs } = embedLabels(regions, labels);
  expect(runs.length).toBeLessThan(64 * 1024);
  expect(spans).toEqual([
    { firstPfn: 0, pageCount: 393_216 },
    { firstPfn: 0x100000, pageCount: 131_072 },
  ]);
});

test.each([
  ['256 GiB', 256 * gib, 1 << 20],
  ['12 GiB whose pages alternate', 12 * gib, 1],
])('%s go as cells, a bounded number of them', (_, sizeBytes, runLength) => {
  const labels = new Uint8Array(sizeBytes / pageSizeBytes);
  for (let at = 0; at < labels.length; at += 2 * runLength) {
    labels.fill(labelNumbers.anon, at, at + runLength);
    labels.fill(labelNumbers.free, at + runLength, at + 2 * runLength);
  }
  const lowBytes = 2 * gib;
  const { pagesPerCell, spans, runs } = embedLabels(
    [
      { gpaStart: 0, sizeBytes: lowBytes, imageOffset: 0 },
      { gpaStart: 4 * gib, sizeBytes: sizeBytes - lowBytes, imageOffset: lowBytes },
    ],
    labels,
  );
  const cells = decode(runs);
  expect(cells.length).toBeLessThanOrEqual(512 * 256);
  expect(spans.length).toBe(2);
  expect(cells.length * pagesPerCell).toBe(spans.reduce((sum, span) => sum + span.pageCount, 0));
  const held = cells.filter((cell) => cell !== noLabel);
  expect(held.length * pagesPerCell).toBe(labels.length);
  // In a tie the critical one.
  expect(new Set(held)).toEqual(
    new Set(runLength === 1 ? [labelNumbers.anon] : [labelNumbers.anon, labelNumbers.free]),
  );
});
