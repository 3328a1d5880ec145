// The binding to libvmi, against a library with the same functions that the test compiles: no distribution has libvmi.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findRegions } from '../../../../introspect/memory/libvmi/regions.js';
import { openImage } from '../../../../introspect/memory/open-image-file.js';
import { pageSizeBytes } from '../../../../introspect/memory/physical-memory.js';
import { thrownBy } from '../thrown-by.js';

const mib = 2 ** 20;
const openImageUrl = new URL('../../../../introspect/memory/open-image-file.ts', import.meta.url)
  .href;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pars-libvmi-'));
  const library = join(folder, 'libvmi.so');
  const source = fileURLToPath(new URL('fake-libvmi.c', import.meta.url));
  execFileSync('cc', ['-shared', '-fPIC', '-Wall', '-Werror', '-O1', '-o', library, source]);
  process.env['PARS_LIBVMI'] = library;
});
afterAll(() => {
  delete process.env['PARS_LIBVMI'];
  rmSync(folder, { recursive: true });
});

/** RAM up to 640 KiB and from 1 MiB to 8 MiB, but for a page that a balloon took. */
function makeVm(name: string): { readonly path: string; readonly bytes: Buffer } {
  const bytes = Buffer.alloc(8 * mib);
  for (let at = 0; at < bytes.length; at += pageSizeBytes) {
    bytes.writeUInt32LE(at / pageSizeBytes, at);
    bytes.writeUInt32LE(~at >>> 0, at + pageSizeBytes - 4);
  }
  for (let at = 640 * 1024; at < mib; at += pageSizeBytes) {
    bytes.write('HOLE', at);
  }
  bytes.write('HOLE', 3 * mib + 5 * pageSizeBytes);
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return { path, bytes };
}

const callsOf = (path: string): readonly string[] =>
  readFileSync(`${path}.calls`, 'utf8').trimEnd().split('\n');

test.each([
  ['xen', '', 'init mode 0 flags 1'],
  ['kvm', '', 'init mode 1 flags 1'],
  ['kvm', '?socket=/tmp/kvmi', 'init mode 1 flags 1 data 2 /tmp/kvmi'],
  ['file', '', 'init mode 2 flags 1'],
])('a VM in %s mode%s is paused, read at its addresses, resumed and let go', (mode, rest, init) => {
  const { path, bytes } = makeVm(`vm-${mode}${rest.length}`);
  const image = openImage(`libvmi:${mode}:${path}${rest}`);
  expect(image.format).toBe('libvmi');
  const [memory] = image.views;
  expect(memory.regions).toEqual([
    { gpaStart: 0, sizeBytes: 640 * 1024, imageOffset: 0 },
    { gpaStart: mib, sizeBytes: 7 * mib, imageOffset: 640 * 1024 },
  ]);
  const word = Buffer.alloc(8);
  expect(memory.read(2 * mib - 4, word)).toBe(true);
  expect(word).toEqual(bytes.subarray(2 * mib - 4, 2 * mib + 4));
  expect(memory.read(700 * 1024, word)).toBe(false);
  expect(callsOf(path)).toEqual([init, 'pause']);
  image.close();
  image.close();
  expect(callsOf(path)).toEqual([init, 'pause', 'resume', 'destroy']);
});

test('a page that a balloon took reads as zero, its neighbours as they are', () => {
  const { path, bytes } = makeVm('ballooned');
  const image = openImage(`libvmi:kvm:${path}`);
  const [memory] = image.views;
  const all = Buffer.alloc(memory.sizeBytes, 0xa5);
  memory.readImage(0, all);
  const expected = Buffer.concat([bytes.subarray(0, 640 * 1024), bytes.subarray(mib)]);
  expected.fill(0, 640 * 1024 + 2 * mib + 5 * 4096, 640 * 1024 + 2 * mib + 6 * 4096);
  expect(all.equals(expected)).toBe(true);
  image.close();
});

test('a VM that ends while it is read is an error, not zeroes', () => {
  const { path } = makeVm('ending');
  const image = openImage(`libvmi:kvm:${path}`);
  writeFileSync(`${path}.gone`, '');
  const error = thrownBy(() => {
    image.views[0].readImage(mib, Buffer.alloc(pageSizeBytes));
  });
  expect(error).toMatchObject({ code: 'image-invalid' });
  expect(error.message).toMatch(/has the VM ended/);
  image.close();
  expect(callsOf(path).slice(-2)).toEqual(['resume', 'destroy']);
});

test('a VM in which nothing can be read is resumed', () => {
  const { path } = makeVm('unreadable');
  writeFileSync(`${path}.gone`, '');
  expect(thrownBy(() => openImage(`libvmi:kvm:${path}`))).toMatchObject({ code: 'image-invalid' });
  expect(callsOf(path).slice(-3)).toEqual(['pause', 'resume', 'destroy']);
});

test('a VM that cannot be paused is not read', () => {
  const { path } = makeVm('restless');
  writeFileSync(`${path}.restless`, '');
  expect(thrownBy(() => openImage(`libvmi:kvm:${path}`))).toMatchObject({ code: 'unavailable' });
  expect(callsOf(path).slice(-2)).toEqual(['pause', 'destroy']);
});

test('a VM is resumed when the program ends in the middle', () => {
  const { path } = makeVm('abandoned');
  runNode(`openImage('libvmi:kvm:${path}'); process.exit(3);`);
  expect(callsOf(path).slice(-2)).toEqual(['resume', 'destroy']);
});

test('a VM that is not there is named with the stage that failed', () => {
  const error = thrownBy(() => openImage(`libvmi:xen:${folder}/nobody`));
  expect(error).toMatchObject({ code: 'unavailable' });
  expect(error.message).toMatch(/nobody.* in xen mode: there is no such VM/);
});

test.each(['libvmi:', 'libvmi:kvm:', 'libvmi:vmware:web', 'libvmi:xen:web?socket=/x'])(
  '%s is refused with the form that is expected',
  (path) => {
    const error = thrownBy(() => openImage(path));
    expect(error).toMatchObject({ code: 'usage' });
    expect(error.message).toMatch(/expected libvmi:MODE:NAME/);
  },
);

test('without libvmi the error says where to get it', () => {
  expect(
    runNode("openImage('libvmi:kvm:web');", { PARS_LIBVMI: join(folder, 'nowhere.so') }),
  ).toMatch(/ParsError.*nowhere\.so.*cannot be loaded.*github\.com\/libvmi\/libvmi/s);
});

/** In a process of its own, since a library is loaded once; what it printed. */
function runNode(code: string, environment: Readonly<Record<string, string>> = {}): string {
  const script = join(folder, 'script.mts');
  writeFileSync(script, `import { openImage } from '${openImageUrl}';\n${code}\n`);
  const root = fileURLToPath(new URL('../../../..', import.meta.url));
  try {
    return execFileSync(process.execPath, ['--import', 'tsx', script], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '', ...environment },
    });
  } catch (error) {
    return String((error as { stderr?: unknown }).stderr);
  }
}

describe('regions found by trying', () => {
  test.each([
    ['none', 16 * mib, []],
    ['one page', pageSizeBytes, [[0, 1]]],
    ['all', 64 * mib, [[0, 16_384]]],
    [
      'with the hole of a PC',
      4096 * mib + 512 * mib,
      [
        [0, 160],
        [256, 524_032],
        [2 ** 20, 131_072],
      ],
    ],
    [
      'that begin and end between steps',
      64 * mib,
      [
        [1000, 2000],
        [7001, 3],
        [9000, 7000],
      ],
    ],
  ])('%s', (_, endGpa, runs) => {
    const isRam = (gpa: number) =>
      runs.some(([pfn, pageCount]) => gpa >= pfn * 4096 && gpa < (pfn + pageCount) * 4096);
    let tries = 0;
    const found = findRegions(endGpa, (gpa) => {
      tries++;
      return isRam(gpa);
    });
    // Three pages between two steps of 2 MiB may go unseen.
    const expected = runs.filter(([pfn, pageCount]) => pageCount > 512 || pfn < 256);
    expect(found.map(({ gpaStart, sizeBytes }) => [gpaStart / 4096, sizeBytes / 4096])).toEqual(
      expected,
    );
    expect(tries).toBeLessThan(300 + endGpa / mib);
  });
});
