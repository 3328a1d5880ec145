// Migration streams and virsh save files under the contract of all sources.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openImage } from '../../../introspect/memory/open-image-file.js';
import { pageSizeBytes } from '../../../introspect/memory/physical-memory.js';
import {
  liveStream,
  mainBlock,
  mappedRam,
  pageOf,
  saveFile,
  saveHeader,
} from './migration-sample.js';
import { sourceContract } from './source-contract.js';

const pageBytes = mainBlock.bytes;

function sample(folder: string, content: Buffer, headers: readonly (readonly [number, number])[]) {
  const path = join(folder, 'stream');
  writeFileSync(path, content);
  return {
    open: () => openImage(path),
    regions: [{ gpaStart: 0, sizeBytes: pageBytes.length, imageOffset: 0 }],
    bytes: pageBytes,
    headers: headers.map(([offset, sizeBytes]) => ({ path, offset, sizeBytes })),
    truncation: {
      path,
      sizesBytes: [0, 5, 30, 100, Math.floor(content.length / 2), content.length - 1],
    },
  };
}

const recordBytes = pageSizeBytes + 8;

sourceContract('a live migration stream', (folder) => {
  const content = liveStream();
  const firstPage = content.indexOf(pageOf(99));
  return sample(folder, content, [
    [0, firstPage],
    [firstPage + pageSizeBytes, 8],
    [firstPage + 2 * recordBytes - 8, 30],
    // The last record's page, the sections' ends and the devices.
    [content.length - 300, 300],
  ]);
});

sourceContract('a mapped-ram file', (folder) =>
  sample(folder, mappedRam(), [
    [0, 240],
    [2 ** 20 + pageBytes.length, 60],
  ]),
);

sourceContract('a virsh save file', (folder) =>
  sample(folder, saveFile('raw'), [[0, saveHeader(0).length + 300]]),
);
