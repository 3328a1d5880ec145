// What text in a guest's RAM may say of a kernel: never that the image is not to be stored.
import { classify } from '../../../introspect/label/classify.js';
import { findKernel } from '../../../introspect/label/find-kernel.js';
import type { PageMap } from '../../../introspect/label/page-map.js';
import { labelNumbers } from '../../../introspect/page-class.js';
import { Ram } from '../ram.js';

const sizeBytes = 4 * 2 ** 20;
const kernelImageBase = 0xffff_ffff_8000_0000n;

function labelsWith(fill: (bytes: Buffer) => void): PageMap {
  const ram = new Ram(sizeBytes);
  fill(ram.bytes);
  return classify(findKernel({ format: 'raw', views: [ram], close: () => undefined }));
}

/** Lines that lead to page tables at `root`, as a guest may write them into any page of its own. */
function lines(root: bigint): string {
  const address = (offset: bigint): string => (kernelImageBase + offset).toString(16);
  return [
    'OSRELEASE=6.1.0',
    'PAGESIZE=4096',
    'NUMBER(phys_base)=0',
    `SYMBOL(swapper_pg_dir)=${address(root)}`,
    `SYMBOL(_stext)=${address(0x1000n)}`,
    `SYMBOL(init_uts_ns)=${address(0x2000n)}`,
    '',
  ].join('\n');
}

function expectAllKept(map: PageMap, reason: RegExp): void {
  expect(map.labels).toHaveLength(sizeBytes / 4096);
  expect(map.labels.every((label) => label === labelNumbers.unknown)).toBe(true);
  expect(map.evidence).toEqual({
    kind: 'no-kernel',
    reason: expect.stringMatching(reason) as string,
  });
  expect(map.warnings.join()).toMatch(reason);
}

test('two hundred bytes that name page tables beyond the image cost the guest its labels, not its backup', () => {
  const map = labelsWith((bytes) => bytes.write(lines(0x3000_0000n), 0x5000));
  expectAllKept(
    map,
    /looks truncated: .*RAM up to 0x30000000 at least, the image ends at 0x400000/,
  );
});

test('so does a page table whose entry leads beyond the image', () => {
  const map = labelsWith((bytes) => {
    bytes.write(lines(0x10_0000n), 0x5000);
    bytes.writeBigUInt64LE(0x000f_ffff_ffff_f003n, 0x10_0000 + 511 * 8);
  });
  expectAllKept(map, /page tables at 0x100000 do not map _stext/);
});
