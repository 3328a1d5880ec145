// Another user of the host, as root can be one: tests of what he may do are left out where they are not run by root.
import { chownSync, mkdirSync } from 'node:fs';

/** nobody, of every Linux. */
export const otherUser = 65534;

export const testAsRoot = process.geteuid?.() === 0 ? test : test.skip;

/** A folder that the other user has made. */
export function makeFolderOfOther(path: string, mode = 0o755): string {
  mkdirSync(path, { mode });
  chownSync(path, otherUser, otherUser);
  return path;
}
