// What packs are called: who wrote it, and the how manieth it is. Manifests say that in columns, not in words.

export const packsFolder = 'packs';

/** Where a snapshot's own files lie, apart from its manifest. */
export const packFolder = (writer: string): string => `${packsFolder}/${writer}`;

export const packName = (writer: string, number: number): string =>
  `${packFolder(writer)}/${number.toString().padStart(6, '0')}.pack`;

export interface PackNameParts {
  /** Id of the snapshot that wrote it. */
  readonly writer: string;
  readonly number: number;
}

/** Undefined for any other name. */
export function partsOfPackName(name: string): PackNameParts | undefined {
  const found = /^packs\/([0-9a-f]{16})\/([0-9]{6,9})\.pack$/.exec(name);
  const number = Number(found?.[2]);
  return found === null || packName(found[1], number) !== name
    ? undefined
    : { writer: found[1], number };
}
