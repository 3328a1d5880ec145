// Which of several unpacked kernels a guest gets. Fetching one needs the network, and is what every fresh machine does.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kernelCacheFolder } from './cache-folder.mjs';
import { newestKernelPackage } from './kernel.mjs';

const unpacked = [
  'linux-image-5.10.0-9-cloud-amd64',
  'linux-image-5.10.0-46-cloud-amd64',
  'linux-image-6.1.0-56-cloud-amd64',
  'linux-image-6.1.0-56-amd64',
  'linux-image-6.1.0-57-rt-amd64',
  'linux-image-7.2.13+deb14-cloud-amd64',
  'linux-image-7.3.4+deb13-cloud-amd64',
  'linux-image-7.3.4+deb13-amd64',
  'linux-image-6.12.117-nobtf-amd64',
  'fetch-x7fS9a',
];

let folder: string;
const cacheHome = process.env['XDG_CACHE_HOME'];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pars-kernel-test-'));
  process.env['XDG_CACHE_HOME'] = folder;
  for (const name of unpacked) {
    mkdirSync(join(kernelCacheFolder(), name), { recursive: true });
  }
});

afterAll(() => {
  if (cacheHome === undefined) {
    delete process.env['XDG_CACHE_HOME'];
  } else {
    process.env['XDG_CACHE_HOME'] = cacheHome;
  }
  rmSync(folder, { recursive: true, force: true });
});

test.each([
  [undefined, undefined, 'linux-image-6.1.0-56-cloud-amd64'],
  ['5.10.', 'cloud', 'linux-image-5.10.0-46-cloud-amd64'],
  ['6.1.', 'generic', 'linux-image-6.1.0-56-amd64'],
  ['7.', 'cloud', 'linux-image-7.3.4+deb13-cloud-amd64'],
  ['7.2.', 'cloud', 'linux-image-7.2.13+deb14-cloud-amd64'],
  ['7.', 'generic', 'linux-image-7.3.4+deb13-amd64'],
  ['6.12.', 'nobtf', 'linux-image-6.12.117-nobtf-amd64'],
  ['6.12.', 'nosmp', undefined],
  ['6.12.', 'cloud', undefined],
  ['5.10.', 'generic', undefined],
] as const)('of series %s, flavour %s: %s', (series, flavour, expected) => {
  expect(newestKernelPackage(series, flavour)).toBe(expected);
});
