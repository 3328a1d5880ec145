// VMCOREINFO's text, and how it is found in an image.
import {
  parseVmcoreinfo,
  scanVmcoreinfo,
  type Vmcoreinfo,
} from '../../../introspect/kernel/vmcoreinfo.js';
import { pageSizeBytes } from '../../../introspect/memory/physical-memory.js';
import { Ram } from '../ram.js';

/** Lines of a Debian 6.1 kernel. */
const text = `OSRELEASE=6.1.0-56-cloud-amd64
BUILD-ID=2bd1d0b45a0e1fa4f0c5a6ea4a1b2f6f6f6c7d4e
PAGESIZE=4096
SYMBOL(init_uts_ns)=ffffffffb6c14c20
SYMBOL(mem_section)=ffff9d0e3ffd8000
SIZE(page)=64
LENGTH(node_data)=1024
NUMBER(phys_base)=-4194304
NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129
NUMBER(VMALLOC_START)=0xffffbd7b00000000
KERNELOFFSET=34000000
`;

function pageOf(content: string): Buffer {
  const page = Buffer.alloc(pageSizeBytes);
  page.write(content, 'latin1');
  return page;
}

function parsed(content: string): Vmcoreinfo {
  const info = parseVmcoreinfo(pageOf(content));
  if (info === undefined) {
    throw new Error('expected VMCOREINFO');
  }
  return info;
}

test('symbols are bare hex, numbers signed decimal or 0x hex, sizes and lengths decimal', () => {
  const info = parsed(text);
  expect(info.release).toBe('6.1.0-56-cloud-amd64');
  expect(info.buildId).toBe('2bd1d0b45a0e1fa4f0c5a6ea4a1b2f6f6f6c7d4e');
  expect(info.pageSizeBytes).toBe(4096);
  expect(info.symbol('init_uts_ns')).toBe(0xffff_ffff_b6c1_4c20n);
  expect(info.symbol('mem_section')).toBe(0xffff_9d0e_3ffd_8000n);
  expect(info.sizeBytes('page')).toBe(64);
  expect(info.length('node_data')).toBe(1024);
  expect(info.number('phys_base')).toBe(-4194304n);
  expect(info.number('PAGE_BUDDY_MAPCOUNT_VALUE')).toBe(-129n);
  expect(info.number('VMALLOC_START')).toBe(0xffff_bd7b_0000_0000n);
});

test.each([
  ['a symbol with 0x', 'SYMBOL(x)=0xffff', (info: Vmcoreinfo) => info.symbol('x')],
  ['a symbol of 17 digits', 'SYMBOL(x)=1ffffffffb6c14c20', (info: Vmcoreinfo) => info.symbol('x')],
  ['a number without digits', 'NUMBER(x)=', (info: Vmcoreinfo) => info.number('x')],
  ['a number in bare hex', 'NUMBER(x)=12ff', (info: Vmcoreinfo) => info.number('x')],
  ['a negative length', 'LENGTH(x)=-1', (info: Vmcoreinfo) => info.length('x')],
  ['a line that is cut off', 'SIZE(x)', (info: Vmcoreinfo) => info.sizeBytes('x')],
  ['a line that is not there', 'SIZE(y)=1', (info: Vmcoreinfo) => info.sizeBytes('x')],
])('%s has no value', (_, line, value) => {
  expect(value(parsed(`OSRELEASE=6.1.0\n${line}\n`))).toBeUndefined();
});

test('a kernel before 5.9 has an empty build id', () => {
  expect(parsed('OSRELEASE=5.4.0\n').buildId).toBe('');
});

test.each([
  ['the format string of the kernel', 'OSRELEASE=%s\n'],
  ['another text', 'PAGESIZE=4096\nOSRELEASE=6.1.0\n'],
  ['nothing', ''],
])('%s is no VMCOREINFO', (_, content) => {
  expect(parseVmcoreinfo(pageOf(content))).toBeUndefined();
});

test('a text that fills its page to the last byte is read whole', () => {
  const info = parsed(`OSRELEASE=6.1.0\nX=${'x'.repeat(5000)}`.slice(0, pageSizeBytes));
  expect(info.release).toBe('6.1.0');
});

test('the scan finds what begins at a page, in image order, and nothing in between', () => {
  // Larger than one step of the scan, with a last step that is not full.
  const ram = new Ram(3 * 2 ** 20 + 5 * pageSizeBytes);
  const put = (at: number, release: string): void => {
    ram.bytes.write(`OSRELEASE=${release}\n`, at);
  };
  put(ram.sizeBytes - pageSizeBytes, 'last');
  put(2 ** 20, 'second');
  put(0, 'first');
  put(7 * pageSizeBytes, '%s');
  put(9 * pageSizeBytes + 24, 'inside the note');
  put(2 ** 21 - 5, 'across two pages');
  const found = [...scanVmcoreinfo(ram)].map(({ vmcoreinfo }) => vmcoreinfo.release);
  expect(found).toEqual(['first', 'second', 'last']);
});
