// Node's own zstd and that in WebAssembly read what the other wrote. A Node without zstd holds the second to itself.
import { expectOneZstdFrame } from '../../../src/pack/codec/zstd-frame.js';
import {
  type ZstdLibrary,
  zstdOfNode,
  zstdOfWebAssembly,
} from '../../../src/pack/codec/zstd-library.js';
import { noisePage, samplePage } from '../sample-pages.js';

/** A page, some, and as many as a frame may have: each differs from the next, and all shrink. */
const contents = [1, 3, 17, 64].map((pageCount) =>
  Buffer.concat(
    Array.from({ length: pageCount }, (_, index) => {
      const page = Buffer.from(samplePage('repeat', index + 1));
      page.set(noisePage(index + 1).subarray(0, 1000), index);
      return page;
    }),
  ),
);
const levels = [1, 3, 9, 19];

const webAssembly = await zstdOfWebAssembly();
const node = zstdOfNode();
const pairs: readonly (readonly [string, ZstdLibrary, ZstdLibrary])[] = [
  ['WebAssembly and WebAssembly', webAssembly, webAssembly],
  ...(node === undefined
    ? []
    : ([
        ['Node and Node', node, node],
        ['Node and WebAssembly', node, webAssembly],
        ['WebAssembly and Node', webAssembly, node],
      ] as const)),
];

test.each(pairs)('%s: the second unpacks what the first packed, at each level', (_, from, to) => {
  for (const level of levels) {
    for (const content of contents) {
      const frame = from.compress(content, level);
      expect(frame.length).toBeLessThan(content.length);
      expectOneZstdFrame(frame, content.length);
      expect(content.equals(to.decompress(frame, content.length))).toBe(true);
    }
  }
});

test.each(pairs)('%s: what was packed twice is the same to the byte', (_, from) => {
  const [content] = contents;
  const first = Buffer.from(from.compress(content, 3));
  from.compress(contents[3], 9);
  expect(first.equals(from.compress(content, 3))).toBe(true);
});

test.each(pairs)('%s: a frame that is cut off is an error', (_, from, to) => {
  const frame = from.compress(contents[1], 3);
  expect(() => to.decompress(frame.subarray(0, -1), contents[1].length)).toThrow();
});
