// Holes of real sparse files, with koffi and without it.
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataOf } from '../../../introspect/memory/image-data.js';
import { openImage } from '../../../introspect/memory/open-image-file.js';
import { pageSizeBytes } from '../../../introspect/memory/physical-memory.js';

const mib = 2 ** 20;
const hasKoffi = (() => {
  try {
    createRequire(import.meta.url).resolve('koffi');
    return true;
  } catch {
    return false;
  }
})();

let folder: string;
let path: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pars-holes-'));
  path = join(folder, 'ram');
  const fd = openSync(path, 'w');
  ftruncateSync(fd, 1024 * mib);
  writeSync(fd, Buffer.alloc(pageSizeBytes, 1), 0, pageSizeBytes, 5 * mib);
  writeSync(fd, Buffer.alloc(2 * mib, 2), 0, 2 * mib, 700 * mib);
  closeSync(fd);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function dataBytes(): readonly Buffer[] {
  const image = openImage(path);
  try {
    return [...dataOf(image.views[0])].map((data) => {
      const bytes = Buffer.alloc(Math.min(data.sizeBytes, 4 * mib));
      data.readImage(0, bytes);
      return bytes;
    });
  } finally {
    image.close();
  }
}

(hasKoffi ? test : test.skip)('only what is stored of a sparse file is read', () => {
  const runs = dataBytes();
  expect(runs.map((run) => run.length)).toEqual([pageSizeBytes, 2 * mib]);
  expect(runs[0].every((byte) => byte === 1)).toBe(true);
  expect(runs[1].every((byte) => byte === 2)).toBe(true);
});

(hasKoffi ? test.skip : test)('without koffi, all of it is read', () => {
  expect(dataBytes()).toHaveLength(1);
});
