// The page as its readers get it, in headless Chromium: nothing asked of the network, nothing on the console, charts and
// their names there, on a phone, in the dark, on paper and by keyboard.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout } from 'node:timers/promises';
import type { BrowserContextOptions } from 'playwright-core';
import { labelNumbers, pageClasses } from '../../../introspect/page-class.js';
import { sliceOf } from '../../slice.js';
import { startBrowser, type TestBrowser } from './browser.js';
import { type OpenPage, openPage } from './open-page.js';
import { renderedPages } from './rendered.js';
import { memoryMapData, snapshotReport } from './sample-reports.js';
import { hostileSample, type Sample, samples } from './samples.js';

const phone = { width: 360, height: 740 };
const desk = { width: 1280, height: 900 };
/** A4 on its side without margins of 12 mm, at 96 pixels to the inch. */
const paperWidth = 1031;

const map = memoryMapData();

/** Two labels, half of memory each. */
function halves(): Sample {
  const half = 16_384;
  const labels = new Uint8Array(2 * half).fill(labelNumbers.anon);
  labels.fill(labelNumbers.slab, half);
  const regions = [{ gpaStart: 0, sizeBytes: labels.length * 4096, imageOffset: 0 }];
  return {
    name: 'halves',
    report: snapshotReport(),
    maps: [{ title: 'Memory by label', regions, labels }],
    chartCount: 1,
  };
}

let chromium: TestBrowser;
const texts = new Map<string, string>();

beforeAll(async () => {
  chromium = await startBrowser();
  const all = [...samples, halves(), { ...hostileSample(), name: 'hostile' }];
  const pages = await renderedPages(all);
  all.forEach(({ name }, index) => texts.set(name, pages[index]));
});

afterAll(async () => {
  await chromium.stop();
});

async function opened(name: string, options: BrowserContextOptions): Promise<OpenPage> {
  const open = await openPage(chromium, texts.get(name) ?? '', options);
  if (options.javaScriptEnabled !== false) {
    for (const body of await open.page.locator('.map-body').all()) {
      await body.waitFor({ state: 'visible' });
    }
  }
  return open;
}

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string | null;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
}

const axeSource = readFileSync(
  createRequire(import.meta.url).resolve('axe-core/axe.min.js'),
  'utf8',
);

/** What axe finds, of any impact, by WCAG 2.2 AA and good practice. */
async function accessibilityFaults({ page }: OpenPage): Promise<readonly string[]> {
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate<AxeResult>('axe.run(document)');
  return violations.flatMap(({ id, impact, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${impact} ${id}: ${html} ${failureSummary}`),
  );
}

interface AxNode {
  readonly ignored: boolean;
  readonly role?: { readonly value: string };
  readonly name?: { readonly value: string };
  readonly description?: { readonly value: string };
}

/** What assistive technology is given has names, and every chart says its figures. */
async function expectNames({ page }: OpenPage, { chartCount, maps }: Sample): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const tree = await session.send('Accessibility.getFullAXTree');
  const nodes = (tree.nodes as readonly AxNode[]).filter(({ ignored }) => !ignored);
  const ofRole = (...roles: readonly string[]) =>
    nodes.filter(({ role }) => roles.includes(role?.value ?? ''));
  // Chromium says `image` for role=img.
  const images = ofRole('image', 'img');
  expect(images.length).toBe(chartCount);
  for (const image of images) {
    expect(image.name?.value).toMatch(/\w/);
    expect(image.description?.value).toMatch(/\w.*\d/);
  }
  const named = ofRole('region', 'table', 'button', 'link', 'navigation', 'application');
  expect(named.filter(({ name }) => !/\w/.test(name?.value ?? ''))).toEqual([]);
  expect(ofRole('table').length).toBeGreaterThanOrEqual(images.length);
  expect(ofRole('application').length).toBe(maps.length);
  expect(ofRole('main', 'navigation', 'banner').length).toBe(3);
  expect(ofRole('RootWebArea')[0].name?.value).toMatch(/saves|db-01/);
}

test.each(sliceOf(samples, 2))(
  '$name: light, on a desk, with names for who does not see it',
  async (sample) => {
    const open = await opened(sample.name, { viewport: desk, colorScheme: 'light' });
    const { page } = open;
    expect(await page.locator('svg.chart:visible').count()).toBe(sample.chartCount);
    for (const chart of await page.locator('svg.chart:visible').all()) {
      const box = await chart.boundingBox();
      expect(box?.width).toBeGreaterThan(600);
      expect(box?.height).toBeGreaterThan(150);
      // More than an empty frame: bars, areas, lines or dots.
      expect(await chart.locator('rect, circle, path[d]').count()).toBeGreaterThan(1);
    }
    expect(await page.locator('canvas:visible').count()).toBe(sample.maps.length);
    await expectNames(open, sample);
    expect(await accessibilityFaults(open)).toEqual([]);
    expect(open.complaints).toEqual([]);
    expect(open.requests).toEqual([open.address]);
    await open.close();
  },
);

test.each(sliceOf(samples, 1))(
  '$name: dark, and on a phone without scrolling sideways',
  async (sample) => {
    const open = await opened(sample.name, { viewport: phone, colorScheme: 'dark' });
    const { page } = open;
    const [scrollWidth, innerWidth] = await page.evaluate<[number, number]>(
      '[document.documentElement.scrollWidth, innerWidth]',
    );
    expect(scrollWidth).toBeLessThanOrEqual(innerWidth);
    expect(await page.locator('svg.chart:visible').count()).toBe(sample.chartCount);
    const colours = await page.evaluate<[string, string]>(
      '[getComputedStyle(document.documentElement).backgroundColor, getComputedStyle(document.body).color]',
    );
    expect(brightness(colours[0])).toBeLessThan(40);
    expect(brightness(colours[1])).toBeGreaterThan(200);
    expect(await accessibilityFaults(open)).toEqual([]);
    expect(open.complaints).toEqual([]);
    await open.close();
  },
);

/** The mean of `rgb(r, g, b)`, 0 to 255. */
function brightness(colour: string): number {
  const parts = [...colour.matchAll(/\d+/g)].map(([digits]) => Number(digits));
  return (parts[0] + parts[1] + parts[2]) / 3;
}

test.each(sliceOf(samples, 1))(
  '$name: on paper, black on white and nothing cut',
  async (sample) => {
    const open = await opened(sample.name, {
      viewport: { width: paperWidth, height: 700 },
      colorScheme: 'dark',
    });
    const { page } = open;
    const pdf = await page.pdf({ preferCSSPageSize: true });
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    expect(pdf.toString('latin1').match(/\/Type\s*\/Page\b/g)?.length ?? 0).toBeGreaterThan(0);
    await page.emulateMedia({ media: 'print' });
    const background = await page.evaluate<string>(
      'getComputedStyle(document.documentElement).backgroundColor',
    );
    expect(background).toBe('rgb(255, 255, 255)');
    const cut = await page.evaluate<readonly string[]>(`(() =>
    [...document.querySelectorAll('.scroll')]
      .filter((box) => box.scrollWidth > box.clientWidth)
      .map((box) => box.getAttribute('aria-labelledby')))()`);
    expect(cut).toEqual([]);
    expect(await page.locator('.map-tools:visible, nav:visible').count()).toBe(0);
    expect(open.complaints).toEqual([]);
    await open.close();
  },
);

test('the whole page can be reached by keyboard, first of all the report itself', async () => {
  const open = await opened('snapshot', { viewport: desk });
  const { page } = open;
  await page.keyboard.press('Tab');
  expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the report');
  const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle');
  expect(outline).toBe('solid');
  await page.keyboard.press('Enter');
  expect(await page.evaluate('document.activeElement.id')).toBe('main');
  const reached = new Set<string>();
  for (let count = 0; count < 25; count++) {
    await page.keyboard.press('Tab');
    reached.add(
      await page.evaluate<string>(
        'document.activeElement.className || document.activeElement.tagName',
      ),
    );
  }
  for (const place of ['scroll', 'map-view', 'BUTTON', 'SUMMARY']) {
    expect([...reached].map((name) => name.split(' ')[0])).toContain(place);
  }
  await open.close();
});

/** What the page ought to say of a frame. */
function labelOf(pfn: number): string {
  const region = map.regions.find(
    ({ gpaStart, sizeBytes }) => pfn * 4096 >= gpaStart && pfn * 4096 < gpaStart + sizeBytes,
  );
  if (region === undefined) {
    return 'not in the image';
  }
  const { label, expendable } =
    pageClasses[map.labels[(region.imageOffset + pfn * 4096 - region.gpaStart) / 4096]];
  return `${label} (${expendable ? 'expendable' : 'critical'})`;
}

function expectTrue(readout: string): number {
  const said = /Frame 0x([0-9a-f]+), address 0x([0-9a-f]+): ([^.]*)/.exec(readout);
  const pfn = parseInt(said?.[1] ?? '', 16);
  expect(parseInt(said?.[2] ?? '', 16)).toBe(pfn * 4096);
  expect(said?.[3]).toBe(labelOf(pfn));
  return pfn;
}

test('the map by keyboard: zoomed to single pages, what is said of each is so', async () => {
  const open = await opened('snapshot', { viewport: desk });
  const { page } = open;
  const view = page.locator('.map-view');
  const status = () => page.locator('.memory-map [role=status]').innerText();
  await view.focus();
  expect(await status()).toMatch(/^\d+ × \d+ cells at frame 0x[0-9a-f]+: .*Zoom 1 ×$/s);
  for (let count = 0; count < 7; count++) {
    await page.keyboard.press('+');
  }
  expect(await status()).toMatch(/Zoom \d+(\.\d)? ×$/);
  const seen = new Set<string>();
  let previous = expectTrue(await status());
  for (const [key, distance] of [
    ['ArrowRight', 1],
    ['ArrowLeft', -1],
    ['ArrowDown', 1024],
    ['ArrowUp', -1024],
    ['Shift+ArrowRight', 10],
    ['Shift+ArrowDown', 10_240],
    ['Shift+ArrowDown', 10_240],
  ] as const) {
    await page.keyboard.press(key);
    const said = await status();
    const pfn = expectTrue(said);
    expect(pfn - previous).toBe(distance);
    previous = pfn;
    seen.add(labelOf(pfn));
  }
  expect(seen.size).toBeGreaterThan(1);
  await page.keyboard.press('-');
  await page.keyboard.press('Home');
  expect(await status()).toMatch(/Zoom 1 ×$/);
  expect(open.complaints).toEqual([]);
  await open.close();
});

/** The page's own policy forbids what the library would wait with. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) {
      throw new Error('expected the page to change within 10 s');
    }
    await setTimeout(20);
  }
}

test('the map by mouse: the wheel zooms once it is chosen, before that the page scrolls', async () => {
  const open = await opened('snapshot', { viewport: desk });
  const { page } = open;
  const view = page.locator('.map-view');
  const zoom = () => page.locator('.map-zoom').innerText();
  const readout = () => page.locator('.map-readout').innerText();
  await view.scrollIntoViewIfNeeded();
  const box = await view.boundingBox();
  const point = { x: (box?.x ?? 0) + 300, y: (box?.y ?? 0) + 120 };
  await page.mouse.move(point.x, point.y);
  expect(await readout()).toMatch(/cells at frame 0x/);
  const scrolled = () => page.evaluate<number>('scrollY');
  const before = await scrolled();
  await page.mouse.wheel(0, 40);
  await until(async () => (await scrolled()) !== before);
  expect(await zoom()).toBe('Zoom 1 ×');
  await page.mouse.wheel(0, -40);
  await until(async () => (await scrolled()) === before);
  await page.mouse.click(point.x, point.y);
  for (let count = 0; count < 6; count++) {
    await page.mouse.wheel(0, -200);
  }
  await until(async () => (await readout()).startsWith('Frame'));
  expect(await scrolled()).toBe(before);
  const pfn = expectTrue(await readout());
  await page.mouse.down();
  await page.mouse.move(point.x - 100, point.y, { steps: 4 });
  await page.mouse.up();
  // What is held moves with the pointer.
  expect(expectTrue(await readout())).toBe(pfn);
  for (const name of ['Zoom in', 'Zoom out', 'Whole memory']) {
    await page.getByRole('button', { name }).click();
  }
  expect(await zoom()).toBe('Zoom 1 ×');
  await open.close();
});

test('the map has the colours of the labels, and none where the image has no page', async () => {
  const open = await opened('halves', { viewport: desk });
  await until(() => open.page.evaluate<boolean>('document.querySelector("canvas").width > 300'));
  const pixels = await open.page.evaluate<readonly (readonly number[])[]>(`(() => {
    const canvas = document.querySelector('canvas');
    const context = canvas.getContext('2d');
    return [0.25, 0.75].map((part) =>
      [...context.getImageData(canvas.width / 2, canvas.height * part, 1, 1).data]);
  })()`);
  expect(pixels).toEqual([
    [0xd5, 0x5e, 0x00, 255],
    [0x00, 0x72, 0xb2, 255],
  ]);
  await open.close();
});

test('without scripts the map stands there in words, and as a table', async () => {
  const open = await opened('snapshot', { viewport: desk, javaScriptEnabled: false });
  const figure = open.page.locator('.memory-map');
  expect(await figure.locator('.map-fallback').innerText()).toMatch(/file-reread \d+\.\d\s%/);
  expect(await figure.locator('canvas:visible').count()).toBe(0);
  await open.page.locator('summary').click();
  expect(await open.page.locator('details tbody tr:visible').count()).toBe(16);
  await open.close();
});

test('nothing from outside runs or becomes part of the page', async () => {
  const { hostile } = hostileSample();
  const open = await opened('hostile', { viewport: phone });
  const { page } = open;
  expect(await page.title()).toContain(hostile);
  expect(await page.locator('img').count()).toBe(0);
  expect(await page.locator('script').count()).toBe(2);
  expect(await page.locator('.facts').first().innerText()).toContain(hostile);
  expect(await page.locator('svg.chart text', { hasText: 'onerror' }).count()).toBeGreaterThan(0);
  const [scrollWidth, innerWidth] = await page.evaluate<[number, number]>(
    '[document.documentElement.scrollWidth, innerWidth]',
  );
  expect(scrollWidth).toBeLessThanOrEqual(innerWidth);
  expect(open.complaints).toEqual([]);
  expect(open.requests).toEqual([open.address]);
  await open.close();
});
