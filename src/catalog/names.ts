// Where things lie in a store. A snapshot exists if and only if its manifest does, under its final name.
//
//   snapshots/<id>.manifest         the manifest, renamed into place last
//   snapshots/<id>.manifest.part    the manifest on its way
//   packs/<id>/000000.pack ...      packs that snapshot <id> wrote; later snapshots may name them too
//   packs/<id>/body                 its manifest's body, a base or a delta; later snapshots may name it too
//   packs/<id>/000000.hashes ...    hashes of the pages in the packs from that number on
//   packs/<id>/state                its device state
//   packs/<id>/machine              the command line of its machine; other attachments likewise, by their role
//   coding/<code>/packs.<id>. ...   packs of snapshot <id> on their way, where the store makes them so
//   claims/<id>.<count>             the upload <id> is under way (claim.ts)

import { packFolder, packsFolder } from '../manifest/pack-name.js';
import { claimsFolder, codingFolder } from '../store/store.js';

export { packFolder, packName, packsFolder } from '../manifest/pack-name.js';

export const snapshotsFolder = 'snapshots';
const manifestSuffix = '.manifest';

/** 64 random bits: ids do not meet, and a prefix of a few digits is enough to name one. */
export const idDigitCount = 16;
export const snapshotId = /^[0-9a-f]{16}$/;

export const manifestName = (id: string): string => `${snapshotsFolder}/${id}${manifestSuffix}`;
export const partName = (id: string): string => `${manifestName(id)}.part`;
export const stateName = (id: string): string => `${packFolder(id)}/state`;
export const machineName = (id: string): string => `${packFolder(id)}/machine`;

export const bodyName = (id: string): string => `${packFolder(id)}/body`;
export const hashesName = (id: string, firstPack: number): string =>
  `${packFolder(id)}/${firstPack.toString().padStart(6, '0')}.hashes`;

/** The snapshot that wrote this file of pages, places or hashes, undefined for any other name. */
export function idOfSharedFile(name: string): string | undefined {
  return /^packs\/([0-9a-f]{16})\/(?:[0-9]{6,9}\.(?:pack|hashes)|body)$/.exec(name)?.[1];
}

/** The count is of renewals; `taken` instead of it: whoever prunes has taken the upload for dead. */
export const claimName = (id: string, count: number): string =>
  `${claimsFolder}/${id}.${count.toString().padStart(9, '0')}`;
export const takenClaimName = (id: string): string => `${claimsFolder}/${id}.taken`;

/** The upload whose claim this is, under whatever name the store gives it meanwhile; undefined for any other name. */
export function idOfClaim(name: string): string | undefined {
  return /^claims\/([0-9a-f]{16})\.[^/]+$/.exec(name)?.[1];
}

/** A file whose time is the store's (store-clock.ts). */
export const clockName = (random: string): string => `${claimsFolder}/clock.${random}`;
export const isClockName = (name: string): boolean => /^claims\/clock\.[^/]+$/.test(name);

/** The snapshot that was to have this file, of those that a store codes on their way; undefined for any other name. */
export function idOfCoding(name: string): string | undefined {
  const [folder, code, file = '', ...below] = name.split('/');
  return folder === codingFolder && code !== '' && below.length === 0
    ? /^packs\.([0-9a-f]{16})\.[^/]+$/.exec(file)?.[1]
    : undefined;
}

/** Whether this is a file that snapshots and uploads make, at this very place: nothing else is ever removed. */
export function isOwnFile(name: string): boolean {
  const segments = name.split('/');
  switch (segments[0]) {
    case snapshotsFolder:
      return segments.length === 2 && (idOfManifest(name) ?? idOfPart(name)) !== undefined;
    case packsFolder:
      return segments.length === 3 && snapshotId.test(segments[1]);
    case codingFolder:
      return idOfCoding(name) !== undefined;
    case claimsFolder:
      return idOfClaim(name) !== undefined || isClockName(name);
    default:
      return false;
  }
}

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
