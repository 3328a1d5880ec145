// The picture as its readers get it: PNG decoded again, SVG by its text.
import { decode } from 'fast-png';
import type { PageMap } from '../../introspect/label/page-map.js';
import { labelNumbers } from '../../introspect/page-class.js';
import { memoryPicture } from '../../src/report/memory-picture.js';
import { drawingToPng } from '../../src/report/png.js';
import { drawingToSvg } from '../../src/report/svg.js';

const { free, anon, slab } = labelNumbers;

/** 256 pages: a quarter free, the rest anonymous but for one. */
function smallMap(release = '6.1.0-1'): PageMap {
  const labels = new Uint8Array(256).fill(anon);
  labels.fill(free, 0, 64);
  labels[255] = slab;
  return {
    regions: [{ gpaStart: 0, sizeBytes: 256 * 4096, imageOffset: 0 }],
    labels,
    evidence: { kind: 'complete' },
    warnings: [],
    kernel: { release, buildId: '' },
  };
}

const shares = ['free: 64 pages, 25.0 %', 'anon: 191 pages, 74.6 %', 'slab: 1 pages, 0.4 %'];

test('PNG: cells have the colours of their labels, and the text says what is in it', () => {
  const drawing = memoryPicture(smallMap());
  const png = decode(drawingToPng(drawing));
  expect([png.width, png.height]).toEqual([drawing.width * 2, drawing.height * 2]);
  const areas = new Map<string, number>();
  for (const index of png.data) {
    const colour = (png.palette ?? [])[index].slice(0, 3).join(' ');
    areas.set(colour, (areas.get(colour) ?? 0) + 1);
  }
  // 16 units wide, 2 pixels per unit, besides the legend's own swatch.
  const cell = (16 * 2) ** 2;
  const swatch = 16 * 2 * 9 * 2;
  expect(areas.get('220 235 247')).toBe(64 * cell + swatch);
  expect(areas.get('213 94 0')).toBe(191 * cell + swatch);
  expect(areas.get('0 114 178')).toBe(cell + swatch);
  for (const sentence of shares) {
    expect(png.text['Description']).toContain(sentence);
  }
});

test('SVG: the same in its description, and what stands in it is escaped', () => {
  const svg = drawingToSvg(memoryPicture(smallMap('6.1<&>"')));
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" viewBox="0 0 \d+ \d+" /);
  expect(svg).toContain('<title id="title">Guest memory by label</title>');
  const description = /<desc id="description">(.*)<\/desc>/.exec(svg)?.[1];
  expect(description).toContain('Linux 6.1&lt;&amp;&gt;&quot;, 256 pages of 4 KiB (1 MiB)');
  for (const sentence of shares) {
    expect(description).toContain(sentence);
  }
  expect(svg).not.toContain('6.1<');
});

test('SVG: rows of one label are one shape', () => {
  const svg = drawingToSvg(memoryPicture(smallMap()));
  // 64 free pages are two rows of 32, one rectangle; the other one is the legend's.
  expect(/<path fill="#dcebf7" d="([^"]*)"/.exec(svg)?.[1].split('z').length).toBe(3);
});

test('a hole in memory is named, and evidence that is not complete too', () => {
  const map = smallMap();
  const drawing = memoryPicture({
    ...map,
    regions: [
      { gpaStart: 0, sizeBytes: 128 * 4096, imageOffset: 0 },
      { gpaStart: 2 ** 32, sizeBytes: 128 * 4096, imageOffset: 128 * 4096 },
    ],
    evidence: { kind: 'partial', reason: 'caught while changing' },
  });
  const texts = drawing.texts.map(({ text }) => text);
  expect(texts).toContain('(1048448 frames, 4 GiB: not in the image)');
  expect(texts).toContain('0x100000');
  expect(drawing.description).toContain('evidence partial');
});
