// Where things lie in a store. A snapshot exists if and only if its manifest does, under its final name.
//
//   snapshots/<id>.manifest         the manifest, renamed into place last
//   snapshots/<id>.manifest.part    the manifest on its way
//   packs/<id>/000000.pack ...      packs that snapshot <id> wrote; later snapshots may name them too
//   packs/<id>/state                its device state
//   packs/<id>/machine              the command line of its machine

export const snapshotsFolder = 'snapshots';
export const packsFolder = 'packs';
const manifestSuffix = '.manifest';

/** 64 random bits: ids do not meet, and a prefix of a few digits is enough to name one. */
export const idDigitCount = 16;
export const snapshotId = /^[0-9a-f]{16}$/;
/** What a VM may be called: one segment of a store name. */
export const vmName = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/;

export const manifestName = (id: string): string => `${snapshotsFolder}/${id}${manifestSuffix}`;
export const partName = (id: string): string => `${manifestName(id)}.part`;
export const packFolder = (id: string): string => `${packsFolder}/${id}`;
export const packName = (id: string, index: number): string =>
  `${packFolder(id)}/${index.toString().padStart(6, '0')}.pack`;
export const stateName = (id: string): string => `${packFolder(id)}/state`;
export const machineName = (id: string): string => `${packFolder(id)}/machine`;

/** The snapshot whose manifest this is, undefined for any other name. */
export function idOfManifest(name: string): string | undefined {
  const last = name.slice(name.lastIndexOf('/') + 1);
  const id = last.endsWith(manifestSuffix) ? last.slice(0, -manifestSuffix.length) : '';
  return snapshotId.test(id) ? id : undefined;
}

/** The snapshot whose manifest on its way this is, under whatever name the store gives it meanwhile. */
export function idOfPart(name: string): string | undefined {
  const id = name.slice(snapshotsFolder.length + 1).split('.', 1)[0];
  return snapshotId.test(id) && name.startsWith(partName(id)) ? id : undefined;
}
