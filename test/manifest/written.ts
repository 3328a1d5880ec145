// A manifest written and read back, as a store would give it.
import { bodyName } from '../../src/catalog/names.js';
import { decodeManifest } from '../../src/manifest/decode.js';
import { type ManifestFiles, manifestFiles } from '../../src/manifest/manifest-files.js';
import type { Manifest } from '../../src/manifest/types.js';

export function written(manifest: Manifest): ManifestFiles {
  return manifestFiles(manifest, bodyName(manifest.header.id));
}

export function readBack({ file, body }: Pick<ManifestFiles, 'file' | 'body'>): Manifest {
  return decodeManifest(file, [body]);
}

/** Byte columns come back as Buffers; what they hold is what counts. JSON has no integers of 64 bits. */
export function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, part: unknown) =>
      typeof part === 'bigint'
        ? `0x${part.toString(16)}`
        : ArrayBuffer.isView(part)
          ? [...(part as Uint8Array)]
          : part,
    ).replaceAll(/\{"type":"Buffer","data":(\[[\d,]*\])\}/g, '$1'),
  );
}

/** With the bodies that it was written with. */
export function expectSame(read: Manifest, manifest: Manifest): void {
  const { bodies } = read.header;
  expect(plain(read)).toEqual(plain({ ...manifest, header: { ...manifest.header, bodies } }));
}
