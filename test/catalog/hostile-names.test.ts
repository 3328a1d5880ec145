// What a manifest says of the store it lies in, when it lies: nothing but the snapshot's own files is ever led to, and the
// snapshots beside it stay and are listed. On a real store on five folders.
import { createHash } from 'node:crypto';
import { crc32c } from '@node-rs/crc32';
import { ParsError } from '../../introspect/pars-error.js';
import { listSnapshots, loadManifest } from '../../src/catalog/catalog.js';
import { claimUpload } from '../../src/catalog/claim.js';
import { deleteSnapshot, prepareDeletions } from '../../src/catalog/delete-snapshots.js';
import {
  bodyName,
  hashesName,
  manifestName,
  packFolder,
  packName,
  stateName,
} from '../../src/catalog/names.js';
import { removeOwnFile } from '../../src/catalog/remove-own.js';
import { encodeManifestHeader } from '../../src/manifest/encode.js';
import { hashSizeBytes, headField, headSizeBytes } from '../../src/manifest/layout.js';
import { manifestFiles } from '../../src/manifest/manifest-files.js';
import type { ManifestHeader } from '../../src/manifest/types.js';
import { copies } from '../../src/store/redundancy.js';
import type { Store } from '../../src/store/store.js';
import { withStore } from '../store/local/disk-folders.js';
import { changedStore } from './changed-store.js';
import { manifestV1 } from './manifest-v1.js';
import {
  filesBelow,
  publishSmall,
  smallManifest,
  writeFilesOf,
  writeText,
} from './small-snapshot.js';

const victim = '1000000000000001';
const liar = '1100000000000002';
const other = '2000000000000003';

const small = smallManifest({
  id: liar,
  packs: [packName(liar, 0)],
  pageHashes: [hashesName(liar, 0)],
  state: stateName(liar),
});
const { manifest: honest, body } = manifestFiles(small, bodyName(liar));
/** What an upload of it writes beside the manifest. */
const ownFiles = [packName(liar, 0), hashesName(liar, 0), bodyName(liar), stateName(liar)];

type Lie = Partial<ManifestHeader>;

/** The manifest's bytes, past what the program would write itself. */
const lyingIn1 = (lie: Lie) => manifestV1({ ...honest, header: { ...honest.header, ...lie } });
const lyingIn2 = (lie: Lie) => encodeManifestHeader({ ...honest.header, ...lie });

const writeBytes = async (store: Store, name: string, bytes: Uint8Array): Promise<void> => {
  await store.write(name, () => [bytes], { redundancy: copies(3), blockSizeBytes: 2 ** 20 });
};

/** Under the name that a manifest of `liar` has. */
async function plant(store: Store, bytes: Uint8Array): Promise<void> {
  await writeBytes(store, manifestName(liar), bytes);
}

const attachmentNamed = (name: string, role = 'state') => ({
  attachments: [{ ...honest.header.attachments[0], name, role }],
});
const packNamed = (name: string) => ({ packs: [{ ...honest.header.packs[0], name }] });

const bodiesNamed = (...names: readonly string[]) => ({
  bodies: names.map((name) => ({ ...honest.header.bodies[0], name })),
});
const hashesNamed = (name: string) => ({
  pageHashes: [{ ...honest.header.pageHashes[0], name }],
});

/** A manifest of version 2 with some bytes replaced by as many others, and checksums made to fit. */
function replaced(bytes: Uint8Array, from: Uint8Array, to: Uint8Array): Uint8Array {
  const changed = Buffer.from(bytes);
  const at = changed.indexOf(from);
  if (at < 0 || from.length !== to.length) {
    throw new Error('there is nothing to be replaced');
  }
  changed.set(to, at);
  const hashAt = changed.length - hashSizeBytes;
  const headCrc = crc32c(changed.subarray(0, headField.crc));
  const crc = crc32c(changed.subarray(headSizeBytes, hashAt), headCrc);
  changed.writeUInt32LE(crc, headField.crc);
  changed.set(createHash('sha256').update(changed.subarray(0, hashAt)).digest(), hashAt);
  return changed;
}

/** Version 2 says who wrote a pack, and its number. */
const packOfWriter = (writer: string): Uint8Array =>
  replaced(lyingIn2(packNamed(packName(other, 0))), Buffer.from(other), Buffer.from(writer));
const numberBytes = (packNumber: number): Uint8Array => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(packNumber);
  return bytes;
};

const lies: readonly (readonly [string, () => Uint8Array])[] = [
  ['the folder of all manifests', () => lyingIn2(attachmentNamed('snapshots'))],
  ['the folder of all packs', () => lyingIn2(attachmentNamed('packs'))],
  ["another's folder of packs", () => lyingIn2(attachmentNamed(packFolder(victim)))],
  ["another's manifest", () => lyingIn2(attachmentNamed(manifestName(victim)))],
  ["another's device state", () => lyingIn2(attachmentNamed(stateName(victim)))],
  ["another's device state in version 1", () => lyingIn1(attachmentNamed(stateName(victim)))],
  ['its own manifest', () => lyingIn2(attachmentNamed(manifestName(liar)))],
  ['a file below a folder of its own', () => lyingIn2(attachmentNamed(`${packFolder(liar)}/a/b`))],
  [
    'a file called otherwise than its role',
    () => lyingIn2(attachmentNamed(`${packFolder(liar)}/other`)),
  ],
  ['a pack as an attachment', () => lyingIn2(attachmentNamed(packName(liar, 0), '000000.pack'))],
  [
    'a role of more than a word',
    () => lyingIn2(attachmentNamed(`${packFolder(liar)}/.state`, '.state')),
  ],
  ["another's manifest as a pack", () => lyingIn1(packNamed(manifestName(victim)))],
  ["another's device state as a pack", () => lyingIn1(packNamed(stateName(victim)))],
  ['the folder of all manifests as a pack', () => lyingIn1(packNamed('snapshots'))],
  ['a pack beside all snapshots', () => lyingIn1(packNamed('packs/000000.pack'))],
  ['a pack in capitals', () => lyingIn1(packNamed(packName(liar, 0).toUpperCase()))],
  ['a pack of a writer in capitals', () => packOfWriter('AAAAAAAAAAAAAAAA')],
  ['a pack of a writer that is no id', () => packOfWriter('.snapshots-of-al')],
  [
    'a pack of a number that no pack has',
    () =>
      replaced(
        lyingIn2(packNamed(packName(liar, 123_456_789))),
        numberBytes(123_456_789),
        numberBytes(2 ** 32 - 1),
      ),
  ],
  ["another's manifest as its body", () => lyingIn2(bodiesNamed(manifestName(victim)))],
  ["another's device state as its body", () => lyingIn2(bodiesNamed(stateName(victim)))],
  ['a pack as its body', () => lyingIn2(bodiesNamed(packName(liar, 0)))],
  ['the folder of all manifests as its body', () => lyingIn2(bodiesNamed('snapshots'))],
  ["another's body as its newest", () => lyingIn2(bodiesNamed(bodyName(victim)))],
  [
    "another's manifest as a body before its own",
    () => lyingIn2(bodiesNamed(manifestName(victim), bodyName(liar))),
  ],
  ["another's manifest as page hashes", () => lyingIn2(hashesNamed(manifestName(victim)))],
  ["another's body as page hashes", () => lyingIn2(hashesNamed(bodyName(victim)))],
  ['a pack as page hashes', () => lyingIn2(hashesNamed(packName(liar, 0)))],
  ["another's folder as page hashes", () => lyingIn2(hashesNamed(packFolder(victim)))],
  ["another's id", () => lyingIn2({ id: victim })],
  ['no id at all', () => lyingIn2({ id: 'snapshots' })],
  ['a moment that no calendar has', () => lyingIn2({ createdMs: 8.65e15 })],
];

async function publishVictims(store: Store): Promise<readonly string[]> {
  for (const id of [victim, other]) {
    await publishSmall(store, { id, packs: [packName(id, 0)], state: stateName(id) });
  }
  return await filesBelow(store, '');
}

test.each([
  [1, lyingIn1({})],
  [2, lyingIn2({})],
])('a manifest of version %i that tells no lie is listed and loaded', async (_, bytes) => {
  await withStore(async ({ store }) => {
    await plant(store, bytes);
    await writeBytes(store, bodyName(liar), body);
    const { snapshots, unreadable } = await listSnapshots(store);
    expect(unreadable).toEqual([]);
    expect(snapshots.map(({ header }) => header.id)).toEqual([liar]);
    const { header, spaces } = await loadManifest(store, liar);
    expect(header.packs).toEqual(honest.header.packs);
    expect(spaces[0].places).toEqual(honest.spaces[0].places);
  });
});

describe.each(lies)('a manifest that names %s', (_, lie) => {
  test('is listed as unreadable beside the others, and nobody loads it', async () => {
    await withStore(async ({ store }) => {
      await publishVictims(store);
      await plant(store, lie());
      const { snapshots, unreadable } = await listSnapshots(store);
      expect(snapshots.map(({ header }) => header.id).sort()).toEqual([victim, other]);
      expect(unreadable.map(({ id, error }) => [id, error.code])).toEqual([[liar, 'corrupt']]);
      await expect(loadManifest(store, liar)).rejects.toMatchObject({ code: 'corrupt' });
    });
  });

  test('takes nothing along but its own files, and holds up the others until it is deleted', async () => {
    await withStore(async ({ store }) => {
      const before = await publishVictims(store);
      await writeFilesOf(store, honest);
      await writeBytes(store, bodyName(liar), body);
      await plant(store, lie());
      const list = await listSnapshots(store);
      expect(() => prepareDeletions(store, list)).toThrow(/pars delete 1100000000000002/);
      await expect(deleteSnapshot(store, victim)).rejects.toMatchObject({ code: 'corrupt' });

      const { removed } = await deleteSnapshot(store, liar);
      expect([...removed].sort()).toEqual([...ownFiles].sort());
      expect(await filesBelow(store, '')).toEqual(before);
      await deleteSnapshot(store, victim);
    });
  });
});

test('packs of an upload that is under way do not go with a snapshot that names them', async () => {
  await withStore(async ({ store }) => {
    const claim = await claimUpload(store, other);
    const underWay = packName(other, 0);
    await writeText(store, underWay, 'of an upload');
    await publishSmall(store, { id: liar, packs: [packName(liar, 0), underWay] });
    expect(await deleteSnapshot(store, liar)).toEqual({
      removed: [packName(liar, 0), bodyName(liar)],
      kept: [underWay],
    });
    expect(await store.stat(underWay)).toBeDefined();
    await claim.release();
  });
});

test('nor do those of a snapshot that was published after the listing', async () => {
  await withStore(async ({ store }) => {
    const taken = packName(other, 0);
    await writeText(store, taken, 'x');
    await publishSmall(store, { id: liar, packs: [taken] });
    const list = await listSnapshots(store);
    await publishSmall(store, { id: other, packs: [taken] });
    const deletion = await prepareDeletions(store, list)(list.snapshots[0].header);
    expect(deletion).toEqual({ removed: [bodyName(liar)], kept: [taken] });
  });
});

test('a folder below a snapshot of which nothing can be read is not gone into', async () => {
  await withStore(async ({ store }) => {
    await writeText(store, manifestName(liar), 'nonsense');
    await writeText(store, `${packFolder(liar)}/inner/file`, 'not ours');
    await writeText(store, packName(liar, 0), 'ours');
    expect((await deleteSnapshot(store, liar)).removed).toEqual([packName(liar, 0)]);
    expect(await filesBelow(store, '')).toEqual([`${packFolder(liar)}/inner/file`]);
  });
});

test('no removal of the catalog goes below a folder, whatever asks for it', async () => {
  await withStore(async ({ store }) => {
    await publishVictims(store);
    const before = await filesBelow(store, '');
    for (const name of ['snapshots', 'packs', packFolder(victim), 'elsewhere/x', 'claims', '']) {
      await expect(removeOwnFile(store, name)).rejects.toMatchObject({ code: 'corrupt' });
    }
    for (const name of ['snapshots', packFolder(victim)]) {
      await expect(store.remove(name, { only: 'file' })).rejects.toMatchObject({ code: 'usage' });
      await expect(store.remove(name, { only: 'empty-folder' })).rejects.toMatchObject({
        code: 'already-exists',
      });
    }
    await expect(
      store.remove(manifestName(victim), { only: 'empty-folder' }),
    ).rejects.toMatchObject({ code: 'usage' });
    expect(await filesBelow(store, '')).toEqual(before);
  });
});

test('a file of which the store says what cannot be is unreadable, and hides none', async () => {
  await withStore(async ({ store }) => {
    await publishVictims(store);
    const strange = changedStore(store, {
      list: async (folder, options) =>
        (await store.list(folder, options)).map((file) =>
          file.name === manifestName(victim)
            ? { ...file, sizeBytes: 0, modifiedMs: 0, problem: 'it has -1 bytes' }
            : file,
        ),
    });
    const { snapshots, unreadable } = await listSnapshots(strange);
    expect(snapshots.map(({ header }) => header.id)).toEqual([other]);
    expect(unreadable).toMatchObject([{ id: victim, error: { message: 'it has -1 bytes' } }]);
    expect(unreadable[0].error).toBeInstanceOf(ParsError);
  });
});
