// virsh save files: header, compression by the system's programs, and what is kept to give such a file again.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openImage } from '../../../../introspect/memory/open-image-file.js';
import { liveStream, mainBlock, saveFile, saveHeader } from '../migration-sample.js';
import { thrownBy } from '../thrown-by.js';

let folder: string;
let path: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pars-save-'));
  path = join(folder, 'save');
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Set for the length of a test. */
function withEnvironment<T>(name: string, value: string, work: () => T): T {
  const before = process.env[name];
  process.env[name] = value;
  try {
    return work();
  } finally {
    if (before === undefined) {
      Reflect.deleteProperty(process.env, name);
    } else {
      process.env[name] = before;
    }
  }
}

test.each(['raw', 'gzip', 'sparse'] as const)(
  'a %s save file gives its RAM, and its header and XML with the state',
  (format) => {
    writeFileSync(path, saveFile(format));
    const image = openImage(path);
    expect(image.format).toBe('libvirt-save');
    const bytes = Buffer.alloc(image.views[0].sizeBytes);
    image.views[0].readImage(0, bytes);
    expect(bytes.equals(mainBlock.bytes)).toBe(true);
    const state = Buffer.concat([...(image.state?.content() ?? [])]);
    // What follows is not compressed, whatever the file was.
    expect(state.subarray(0, saveHeader(0).length).equals(saveHeader(0))).toBe(true);
    expect(state.subarray(saveHeader(0).length, saveHeader(0).length + 4).toString()).toBe('QEVM');
    image.close();
  },
);

test('a compressed one leaves nothing in the folder for temporary files', () => {
  const scratch = mkdtempSync(join(folder, 'scratch-'));
  writeFileSync(path, saveFile('gzip'));
  withEnvironment('TMPDIR', scratch, () => {
    const image = openImage(path);
    expect(readdirSync(scratch)).toEqual([]);
    image.close();
  });
});

test.each([
  [1, 'gzip'],
  [2, 'bzip2'],
  [3, 'xz'],
  [4, 'lzop'],
  [5, 'zstd'],
])('format %d without the program %s says that it is missing', (format, program) => {
  writeFileSync(path, Buffer.concat([saveHeader(format), Buffer.alloc(100)]));
  const error = withEnvironment('PATH', folder, () => thrownBy(() => openImage(path)));
  expect(error.code).toBe('unsupported');
  expect(error.message).toMatch(new RegExp(`needs the program ${program}: .*ENOENT; install it`));
});

const header = saveHeader(0);
test.each<readonly [string, string, RegExp, Buffer]>([
  [
    'virsh did not finish',
    'image-invalid',
    /LibvirtQemudPart.*save again/,
    Buffer.concat([saveHeader(0, 'LibvirtQemudPart'), liveStream()]),
  ],
  [
    'is of another version',
    'unsupported',
    /version 2, found version 3/,
    Buffer.concat([saveHeader(0, undefined, 3), liveStream()]),
  ],
  [
    'is of an unknown format',
    'unsupported',
    /format up to 6.*found 7 at offset 28/,
    Buffer.concat([saveHeader(7), liveStream()]),
  ],
  [
    'ends within its header',
    'image-invalid',
    /92 bytes, found the file's end at 50/,
    header.subarray(0, 50),
  ],
  ['ends within its XML', 'image-invalid', /XML that lies in the file/, header.subarray(0, 100)],
  ['has no stream', 'image-invalid', /magic QEVM/, Buffer.concat([header, Buffer.alloc(100)])],
  [
    'is compressed and damaged',
    'image-invalid',
    /gzip ended with exit status 1/,
    Buffer.concat([saveHeader(1), Buffer.alloc(100, 7)]),
  ],
  [
    'is compressed and cut short',
    'image-invalid',
    /gzip ended with/,
    saveFile('gzip').subarray(0, -10),
  ],
])('a save file that %s is refused', (_, code, message, content) => {
  writeFileSync(path, content);
  const error = thrownBy(() => openImage(path));
  expect(error.message).toMatch(message);
  expect(error.code).toBe(code);
});

describe('a compressed file that unpacks to more than it may', () => {
  /** In gzip, so many times the bytes, as members one after the other: each unpacks to a gigabyte of zeroes. */
  const gigabyte = gzipSync(Buffer.alloc(2 ** 30));
  const endless = (start: Buffer): Buffer =>
    Buffer.concat([saveHeader(1), gzipSync(start), ...Array.from({ length: 4 }, () => gigabyte)]);

  test('is refused by the RAM that its stream states, before it is unpacked whole', () => {
    writeFileSync(path, endless(liveStream()));
    const error = thrownBy(() => openImage(path));
    expect(error.message).toMatch(/unpacks to more than \d+ bytes, the most that it can have/);
    expect(error.code).toBe('image-invalid');
  });

  test('is refused at its beginning where that is no stream', () => {
    writeFileSync(path, endless(Buffer.alloc(10)));
    expect(thrownBy(() => openImage(path))).toMatchObject({
      code: 'image-invalid',
      message: expect.stringContaining('magic QEVM') as unknown,
    });
  });
});
