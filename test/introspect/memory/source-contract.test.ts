// The sources whose bytes lie in a file as they are, under the contract of all sources.
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openImage } from '../../../introspect/memory/open-image-file.js';
import type { MemoryRegion } from '../../../introspect/memory/physical-memory.js';
import { pageSizeBytes } from '../../../introspect/memory/physical-memory.js';
import { elfCore, type Segment } from './elf-sample.js';
import { sourceContract, type SourceSample } from './source-contract.js';

const fourGib = 2 ** 32;

/** Pages that all differ, some of them zero. */
function pages(count: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(count * pageSizeBytes);
  for (let at = 0; at < bytes.length; at++) {
    const page = Math.floor(at / pageSizeBytes);
    bytes[at] = page % 3 === 2 ? 0 : (at * 31 + page * 7 + seed * 101) & 0xff;
  }
  return bytes;
}

function regions(...runs: readonly (readonly [gpa: number, pageCount: number])[]): MemoryRegion[] {
  let imageOffset = 0;
  return runs.map(([gpaStart, pageCount]) => {
    const region = { gpaStart, sizeBytes: pageCount * pageSizeBytes, imageOffset };
    imageOffset += region.sizeBytes;
    return region;
  });
}

function sampleOf(
  path: string,
  content: Buffer,
  rest: Pick<SourceSample, 'regions' | 'bytes'> & Partial<SourceSample>,
): SourceSample {
  writeFileSync(path, content);
  return {
    open: () => openImage(path),
    headers: [],
    truncation: { path, sizesBytes: [0, 1, content.length - 1] },
    ...rest,
  };
}

sourceContract('raw', (folder) => {
  const path = join(folder, 'ram');
  const bytes = pages(9);
  return sampleOf(path, bytes, {
    bytes,
    regions: regions([0, 9]),
    headers: [{ path, offset: 0, sizeBytes: 64 }],
  });
});

sourceContract('raw with a map', (folder) => {
  const path = join(folder, 'ram');
  const mapPath = `${path}.map.json`;
  const [low, middle, high] = [pages(4, 1), pages(2, 2), pages(3, 3)];
  const map = {
    regions: [
      { gpa: '0x100000000', sizeBytes: high.length, fileOffset: 512 },
      { gpa: 0, sizeBytes: low.length },
      { gpa: '0x4000', sizeBytes: middle.length, fileOffset: 512 + high.length + low.length },
    ],
  };
  writeFileSync(mapPath, JSON.stringify(map));
  const content = Buffer.concat([Buffer.alloc(512, 0xee), high, low, middle]);
  return sampleOf(path, content, {
    bytes: Buffer.concat([low, middle, high]),
    // Neighbours are one region.
    regions: regions([0, 6], [fourGib, 3]),
    headers: [{ path: mapPath, offset: 0, sizeBytes: statSync(mapPath).size }],
    truncation: { path, sizesBytes: [0, 512, content.length - 1, content.length - pageSizeBytes] },
  });
});

/** Out of order, with a note, a tail that the file does not have, and video RAM far above the guest's own. */
const segments: readonly Segment[] = [
  { type: 4, gpa: 0, bytes: Buffer.from('CORE: anything') },
  { gpa: fourGib, bytes: pages(3, 3) },
  { gpa: 0, bytes: pages(4, 1) },
  { gpa: 0xc0000, bytes: pages(2, 2), memoryBytes: 5 * pageSizeBytes },
  { gpa: 0xfd000000, bytes: Buffer.alloc(0), memoryBytes: 2 * pageSizeBytes },
  { gpa: 0x7000, bytes: Buffer.alloc(0) },
];
const elfBytes = Buffer.concat([
  segments[2].bytes,
  segments[3].bytes,
  Buffer.alloc(3 * pageSizeBytes),
  Buffer.alloc(2 * pageSizeBytes),
  segments[1].bytes,
]);
const elfRegions = regions([0, 4], [0xc0000, 5], [0xfd000000, 2], [fourGib, 3]);

describe.each([false, true])('with the count in a section header: %p', (extendedCount) => {
  sourceContract('elf', (folder) => {
    const path = join(folder, 'core');
    const content = elfCore(segments, { extendedCount });
    const headerSizeBytes = 64 + segments.length * 56 + (extendedCount ? 64 : 0);
    return sampleOf(path, content, {
      bytes: elfBytes,
      regions: elfRegions,
      open: () => openImage(path, { format: 'elf' }),
      headers: [{ path, offset: 0, sizeBytes: headerSizeBytes }],
      truncation: {
        path,
        sizesBytes: [0, 1, 63, 64, headerSizeBytes - 1, headerSizeBytes, content.length - 1],
      },
    });
  });
});

sourceContract('firecracker', (folder) => {
  const path = join(folder, 'mem');
  const statePath = join(folder, 'vmstate');
  const bytes = pages(9);
  writeFileSync(statePath, Buffer.from('000064868419100705000000000000' + '00342e302e30', 'hex'));
  return sampleOf(path, bytes, {
    bytes,
    regions: regions([0, 9]),
    headers: [
      { path: statePath, offset: 0, sizeBytes: 20 },
      { path, offset: 0, sizeBytes: 64 },
    ],
    open: () => openImage(path, { format: 'firecracker' }),
  });
});

sourceContract('firecracker with its regions', (folder) => {
  const path = join(folder, 'mem');
  const mapPath = join(folder, 'regions.json');
  const bytes = pages(9);
  const map = {
    regions: [
      { base_address: 0, size: 5 * pageSizeBytes, region_type: 'Dram', plugged: [true] },
      { base_address: fourGib, size: 4 * pageSizeBytes, region_type: 'Dram', plugged: [true] },
    ],
  };
  writeFileSync(mapPath, JSON.stringify(map));
  return sampleOf(path, bytes, {
    bytes,
    regions: regions([0, 5], [fourGib, 4]),
    headers: [{ path: mapPath, offset: 0, sizeBytes: statSync(mapPath).size }],
    open: () => openImage(path, { format: 'firecracker', mapPath }),
    truncation: { path, sizesBytes: [0, pageSizeBytes, 8 * pageSizeBytes] },
  });
});

sourceContract('cloud-hypervisor', (folder) => {
  const [low, high] = [pages(5, 1), pages(4, 2)];
  const snapshot = join(folder, 'snapshot');
  mkdirSync(snapshot);
  const statePath = join(snapshot, 'state.json');
  const manager = {
    memory_ranges: {
      data: [
        { gpa: fourGib, length: high.length },
        { gpa: 0, length: low.length },
      ],
    },
    boot_ram: 1,
  };
  const state = {
    snapshots: {
      'cpu-manager': { snapshots: {}, snapshot_data: { state: '{}' } },
      'memory-manager': { snapshots: {}, snapshot_data: { state: JSON.stringify(manager) } },
    },
    snapshot_data: null,
  };
  writeFileSync(statePath, JSON.stringify(state));
  return sampleOf(join(snapshot, 'memory-ranges'), Buffer.concat([high, low]), {
    bytes: Buffer.concat([low, high]),
    regions: regions([0, 5], [fourGib, 4]),
    headers: [{ path: statePath, offset: 0, sizeBytes: statSync(statePath).size }],
    open: () => openImage(snapshot),
    truncation: {
      path: join(snapshot, 'memory-ranges'),
      sizesBytes: [0, pageSizeBytes, 8 * pageSizeBytes],
    },
  });
});
