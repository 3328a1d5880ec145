// A chain of bodies stays short enough to be read: it is folded into a new base by count and by bytes.
import { mayFollow } from '../../../src/manifest/body/chain.js';
import { decodeManifest } from '../../../src/manifest/decode.js';
import { maxBodyCount } from '../../../src/manifest/layout.js';
import { manifestFiles } from '../../../src/manifest/manifest-files.js';
import type { Manifest } from '../../../src/manifest/types.js';
import { MadeVm } from '../sample-chain.js';
import { plain } from '../written.js';

const mib = 2 ** 20;
const sized = (...sizes: number[]) => sizes.map((sizeBytes) => ({ sizeBytes }));

test.each<[string, boolean, number[], number]>([
  ['a first delta', true, [4 * mib], mib],
  ['one byte more than a quarter of the base', false, [4 * mib], mib + 1],
  ['deltas that are a quarter together', true, [4 * mib, mib / 2], mib / 2],
  ['deltas that are more than a quarter together', false, [4 * mib, mib / 2], mib / 2 + 1],
  ['a delta as large as a small base', true, [1000], 2 ** 16],
  ['the last of as many bodies as there may be', true, [mib, ...Array<number>(15).fill(1)], 1],
  ['one body more', false, [mib, ...Array<number>(16).fill(1)], 1],
])('whether %s may follow: %s', (_, may, bodies, sizeBytes) => {
  expect(mayFollow(sized(...bodies), sizeBytes)).toBe(may);
});

test('snapshots that follow each other are a base and deltas, then a base again, and each is read', () => {
  const vm = new MadeVm(8, 2000);
  const bodies = new Map<string, Uint8Array>();
  const kinds: string[] = [];
  let before: Manifest | undefined;
  for (let step = 0; step < 2 * maxBodyCount; step++) {
    const files = manifestFiles(
      vm.manifest(),
      `packs/${String(step).padStart(16, '0')}/body`,
      before,
    );
    const { header } = files.manifest;
    bodies.set(header.bodies.at(-1)?.name ?? '', files.body);
    const read = decodeManifest(
      files.file,
      header.bodies.map(({ name }) => bodies.get(name) ?? new Uint8Array()),
    );
    expect(plain(read.header)).toEqual(plain(header));
    expect(header.bodies.length).toBeLessThanOrEqual(maxBodyCount);
    kinds.push(header.bodies.length === 1 ? 'base' : 'delta');
    before = read;
    vm.step(20);
  }
  expect(kinds.slice(0, 3)).toEqual(['base', 'delta', 'delta']);
  expect(kinds.slice(1, maxBodyCount + 1)).toContain('base');
});
