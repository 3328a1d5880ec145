// A real guest with a DIMM: its two files joined into one image, and the stream in which QEMU has both.
import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { classify } from '../../introspect/label/classify.js';
import { findKernel } from '../../introspect/label/find-kernel.js';
import type { PageMap } from '../../introspect/label/page-map.js';
import { openRawFile } from '../../introspect/memory/formats/raw-file.js';
import { openImage } from '../../introspect/memory/open-image-file.js';
import { labelNumbers } from '../../introspect/page-class.js';
import { bootGuest } from '../guest/guest.js';

const bootTimeoutMs = 400_000;
const mib = 2 ** 20;
const mainMib = 384;
const dimmMib = 128;
const dimmGpa = 2 ** 32;

let folder: string;
let mainPath: string;
let dimmPath: string;
let streamPath: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pars-dimm-'));
  mainPath = join(folder, 'main');
  dimmPath = join(folder, 'dimm');
  streamPath = join(folder, 'stream');
  const guest = await bootGuest({
    ramSizeMib: mainMib,
    dimmSizeMib: dimmMib,
    disk: { contentSizeMib: 40 },
  });
  try {
    await guest.qmp('stop');
    copyFileSync(guest.ramPath, mainPath);
    copyFileSync(guest.dimmPath, dimmPath);
    await guest.saveStream(streamPath);
  } finally {
    await guest.close();
  }
}, bootTimeoutMs);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function joined(name: string, ...paths: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(path, '');
  paths.forEach((part) => {
    appendFileSync(path, readFileSync(part));
  });
  return path;
}

function labelsOf(path: string, mapPath?: string): PageMap {
  const image = openRawFile(path, { mapPath });
  try {
    return classify(findKernel(image));
  } finally {
    image.close();
  }
}

test('the joined file is read as a map of it says, without the map', () => {
  const path = joined('joined', mainPath, dimmPath);
  const mapPath = join(folder, 'map.json');
  writeFileSync(
    mapPath,
    JSON.stringify({
      regions: [
        { gpa: 0, sizeBytes: mainMib * mib },
        { gpa: dimmGpa, sizeBytes: dimmMib * mib },
      ],
    }),
  );
  const map = labelsOf(path);
  expect(map.warnings).toEqual([]);
  expect(map.evidence).toEqual({ kind: 'complete' });
  expect(map).toEqual(labelsOf(path, mapPath));
  // The kernel uses the DIMM, and has free pages in it.
  const ofDimm = map.labels.subarray((mainMib * mib) / 4096);
  expect(ofDimm).toHaveLength((dimmMib * mib) / 4096);
  expect(ofDimm.includes(labelNumbers['not-ram'])).toBe(false);
  expect(ofDimm.includes(labelNumbers.free)).toBe(true);
});

test('the stream has the memory of both, and the place of the DIMM is found', () => {
  const image = openImage(streamPath);
  try {
    const found = findKernel(image);
    expect(found).toMatchObject({ found: true });
    const { memory } = found;
    expect(memory.regions).toEqual([
      { gpaStart: 0, sizeBytes: mainMib * mib, imageOffset: 0 },
      { gpaStart: dimmGpa, sizeBytes: dimmMib * mib, imageOffset: mainMib * mib },
    ]);
    const bytes = Buffer.alloc(memory.sizeBytes);
    memory.readImage(0, bytes);
    const files = [readFileSync(mainPath), readFileSync(dimmPath)];
    expect(bytes.equals(Buffer.concat(files))).toBe(true);
    // Kept once: its devices' part has none of it.
    expect(image.state?.sizeBytes).toBeLessThan(64 * mib);
    const map = classify(found);
    expect(map.evidence).toEqual({ kind: 'complete' });
    expect(map.labels.subarray((mainMib * mib) / 4096).includes(labelNumbers.free)).toBe(true);
  } finally {
    image.close();
  }
});

test.each<[string, () => string, RegExp]>([
  [
    'the main file alone',
    () => mainPath,
    /looks truncated: .*RAM up to 0x10[0-8][0-9a-f]{6} at least, .*IMAGE\.map\.json .*ELF core/,
  ],
  ['the parts the other way round', () => joined('reversed', dimmPath, mainPath), /./],
])('%s gives no page up', (_, path, reason) => {
  const map = labelsOf(path());
  expect(map.evidence).toEqual({
    kind: 'no-kernel',
    reason: expect.stringMatching(reason) as string,
  });
  expect(map.labels.every((label) => label === labelNumbers.unknown)).toBe(true);
});
