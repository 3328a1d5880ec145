// Types of debian-archive.mjs, which is plain JavaScript because it runs before
// the first `npm ci`.

export const ARCHIVE_KEYRING: string;
export function mirrorOf(suite: string): string;
