// `pars kernel` and what `pars classify` can be asked besides the labels: evidence, counters, pictures, arrays.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { z } from 'zod';
import { npyHeader } from '../../src/cli/image/npy.js';
import { expectPars } from '../e2e/pars-command.js';
import { makeRandomImage } from '../e2e/random-image.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../e2e/temporary-folder.js';
import { fixtureGuest } from '../guest/fixtures.js';

const bootTimeoutMs = 300_000;
const usage = 2;
const imageInvalid = 3;
const notFound = 4;
const noKernel = 20;

let folder: TemporaryFolder;
let guest: string;
let noise: string;

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  noise = join(folder.path, 'noise');
  makeRandomImage(noise, 8);
  guest = (await fixtureGuest('aged')).ramPath;
}, bootTimeoutMs);
afterAll(() => folder.remove());

const explainAnswer = z.object({
  kernel: z.object({ release: z.string(), buildId: z.string() }),
  explanations: z.array(
    z.object({
      pfn: z.int(),
      label: z.string(),
      conclusion: z.string(),
      agrees: z.literal(true),
      checks: z.array(z.object({ holds: z.boolean(), condition: z.string(), found: z.string() })),
      pageClass: z.object({ expendable: z.boolean(), loss: z.string() }),
    }),
  ),
  statistics: z.object({
    counters: z.array(z.object({ counter: z.string(), kernelPageCount: z.int() })),
    zones: z.array(z.object({ kernelFreePageCount: z.int(), foundFreePageCount: z.int() })),
  }),
});

test('kernel and classify speak of the same kernel, as JSON and within 80 columns', async () => {
  const { json } = await expectPars(0, ['kernel', guest, '--json']);
  const { kernel } = z
    .object({
      kernel: z.object({
        release: z.string(),
        buildId: z.string(),
        kaslrOffset: z.string().regex(/^0x[0-9a-f]+$/),
        zones: z.array(z.object({ name: z.string() })),
      }),
    })
    .parse(json);
  const { stdout } = await expectPars(0, ['kernel', guest]);
  expect(stdout).toContain(kernel.release);
  expect(stdout).toContain(kernel.kaslrOffset);
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  const classified = await expectPars(0, [
    'classify',
    guest,
    '--json',
    '--stats',
    '--explain',
    '0',
  ]);
  expect(explainAnswer.parse(classified.json).kernel).toEqual({
    release: kernel.release,
    buildId: kernel.buildId,
  });
});

test('several pages are explained in the order they are asked for, decimal or hex', async () => {
  const asked = ['--explain', '0x5000', '--explain', '7'];
  const { json } = await expectPars(0, ['classify', guest, ...asked, '--stats', '--json']);
  const { explanations, statistics } = explainAnswer.parse(json);
  expect(explanations.map(({ pfn }) => pfn)).toEqual([0x5000, 7]);
  expect(statistics.zones.length).toBeGreaterThan(1);
  const { stdout } = await expectPars(0, ['classify', guest, ...asked]);
  expect(stdout).toMatch(/^frame +20480 \(0x5000\)$/m);
  expect(stdout).toMatch(/^ {2}ok {2}its section is online/m);
  expect(stdout).toMatch(/^label +\S+: /m);
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
});

test('files hold the labels as bytes, as an array and as pictures', async () => {
  const path = (name: string): string => join(folder.path, name);
  await expectPars(0, [
    ...['classify', guest, '--labels', path('labels'), '--npy', path('labels.npy')],
    ...['--map', path('map.png')],
  ]);
  await expectPars(0, ['classify', guest, '--map', path('map.SVG')]);
  const labels = readFileSync(path('labels'));
  const array = readFileSync(path('labels.npy'));
  const header = npyHeader(labels.length);
  expect(array.subarray(0, header.length).equals(header)).toBe(true);
  expect(array.subarray(header.length).equals(labels)).toBe(true);
  expect(decode(readFileSync(path('map.png'))).text['Title']).toBe('Guest memory by label');
  expect(readFileSync(path('map.SVG'), 'utf8')).toMatch(/^<svg [^]*<\/svg>\n$/);
});

test.each<[number, RegExp, () => readonly string[]]>([
  [usage, /is no page frame number/, () => ['classify', guest, '--explain', 'here']],
  [
    usage,
    /the image holds no frame 131072 \(0x20000\): expected one of 0-131071/,
    () => ['classify', guest, '--explain', '131072', '--npy', join(folder.path, 'never')],
  ],
  [
    usage,
    /expected a name that ends in \.png or \.svg/,
    () => ['classify', guest, '--map', 'x.gif'],
  ],
  [
    notFound,
    /cannot write the picture to /,
    () => ['classify', guest, '--map', join(folder.path, 'none', 'x.png')],
  ],
  [imageInvalid, /cannot open the image/, () => ['kernel', join(folder.path, 'none')]],
])('ends with %d and says %s', async (exitCode, message, command) => {
  const { stderr, stdout } = await expectPars(exitCode, command());
  expect(stderr).toMatch(message);
  expect(stdout).toBe('');
  expect(existsSync(join(folder.path, 'never'))).toBe(false);
});

test('an image without a kernel is described and explained as far as that goes', async () => {
  const { json, stderr } = await expectPars(noKernel, ['kernel', noise, '--json']);
  expect(json).toMatchObject({ image: { format: 'raw' }, kernel: null });
  expect(stderr).toMatch(/^pars: warning: the kernel cannot be described: /);
  const { stdout } = await expectPars(noKernel, ['classify', noise, '--explain', '1', '--stats']);
  expect(stdout).toMatch(/^ {2}no {2}a kernel was found whose structures add up/m);
  expect(stdout).toMatch(/^No counters to compare with: /m);
});
