// A file of some kilobytes that states a terabyte of RAM costs what is in the file.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openImage } from '../../../introspect/memory/open-image-file.js';
import { pageSizeBytes } from '../../../introspect/memory/physical-memory.js';
import { labelNumbers } from '../../../introspect/page-class.js';
import { packContentBytes } from '../../../src/pack/layout.js';
import { planPacks } from '../../../src/plan/pack-plan.js';
import {
  configuration,
  ending,
  endRecord,
  fileHead,
  flags,
  footer,
  pageOf,
  ramSection,
  record,
  sectionHead,
} from './migration-sample.js';
import { thrownBy } from './thrown-by.js';

const folder = mkdtempSync(join(tmpdir(), 'pars-stated-'));
const path = join(folder, 'image');
const tebibyte = 2 ** 40;
const pageCount = tebibyte / pageSizeBytes;
const sentPages = [0, 12_345_678, pageCount - 1];

afterAll(() => {
  rmSync(folder, { recursive: true });
});

const u64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
};

function streamOf(
  blocks: readonly (readonly [name: string, sizeBytes: number])[],
  pages = sentPages,
): Buffer {
  const total = blocks.reduce((sum, [, sizeBytes]) => sum + sizeBytes, 0);
  return Buffer.concat([
    ...[fileHead, configuration(), sectionHead(1, 'ram'), u64(total + flags.memorySize)],
    ...blocks.flatMap(([name, sizeBytes]) => [
      Buffer.of(name.length),
      Buffer.from(name),
      u64(sizeBytes),
    ]),
    ...[endRecord, footer()],
    ramSection(
      3,
      pages.map((page, index) => record(page, pageOf(page), index === 0 ? 'ram0' : undefined)),
    ),
    ending(),
  ]);
}

/** An ELF core with one run of RAM, of which the file has the first page. */
function elfOf(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(2 * pageSizeBytes, 1);
  bytes.fill(0, 0, pageSizeBytes);
  bytes.write('\x7fELF\x02\x01\x01', 'latin1');
  bytes.writeUInt16LE(4, 16);
  bytes.writeUInt16LE(62, 18);
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(1, 56);
  bytes.writeUInt32LE(1, 64);
  bytes.writeBigUInt64LE(BigInt(pageSizeBytes), 64 + 8);
  bytes.writeBigUInt64LE(BigInt(pageSizeBytes), 64 + 32);
  bytes.writeBigUInt64LE(BigInt(sizeBytes), 64 + 40);
  return bytes;
}

test.each([
  ['a migration stream', streamOf([['ram0', tebibyte]]), sentPages],
  ['an ELF core', elfOf(tebibyte), [0]],
])('of a terabyte that %s states, only pages that it has go into frames', (_, content, pages) => {
  writeFileSync(path, content);
  const image = openImage(path);
  const [memory] = image.views;
  expect(memory.sizeBytes).toBe(tebibyte);
  const startMs = performance.now();
  const packs = planPacks(
    {
      pageCount,
      firstPage: Uint32Array.of(0, 5),
      runPageCount: Uint32Array.of(5, pageCount - 5),
      label: Uint8Array.of(labelNumbers.unknown, labelNumbers.anon),
      replication: Uint8Array.of(3, 3),
    },
    {
      packContentBytes: packContentBytes(128 * 2 ** 20),
      storedAt: memory.storedAt?.bind(memory),
    },
  );
  expect(performance.now() - startMs).toBeLessThan(5000);
  const windows = packs.flatMap(({ frames }) => [...frames.window]);
  expect(windows).toEqual(pages.map((page) => Math.floor(page / 64)));
  const page = Buffer.alloc(pageSizeBytes);
  memory.readImage(pages[pages.length - 1] * pageSizeBytes, page);
  expect(page.every((byte) => byte === 0)).toBe(false);
  image.close();
});

test.each([
  [
    'more RAM than can be stored',
    [
      ['ram-node0', tebibyte],
      ['ram-node1', tebibyte],
    ],
  ],
  [
    'more video memory than any machine has',
    [
      ['ram0', 2 ** 38],
      ['vga.vram', 2 ** 37],
    ],
  ],
] as const)('a stream that states %s is refused', (_, blocks) => {
  writeFileSync(path, streamOf(blocks, []));
  expect(thrownBy(() => openImage(path))).toMatchObject({ code: 'unsupported' });
});
