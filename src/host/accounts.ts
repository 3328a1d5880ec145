// What this host's own lists of users and groups say (passwd(5), group(5)). Those of a directory service are not asked:
// of a group that stands in no list here, nothing is known, and it counts as one that others are in.
import { readFileSync } from 'node:fs';

/** `alice (1000)`, or the number alone. */
export function userWords(uid: number): string {
  const name = rowsOf('/etc/passwd').find((row) => Number(row[2]) === uid)?.[0];
  return name === undefined || name === '' ? `user ${uid}` : `${name} (${uid})`;
}

/**
 * Whether the group has its owner as its only member, as on systems where every user has a group of his own (umask 002).
 * Debian's OpenSSH accepts files that such a group may write to by the same rule (its patch user-group-modes).
 */
export function isPrivateGroup(gid: number, uid: number): boolean {
  const group = rowsOf('/etc/group').find((row) => Number(row[2]) === gid);
  const users = rowsOf('/etc/passwd');
  const owner = users.find((row) => Number(row[2]) === uid);
  if (group === undefined || owner === undefined) {
    return false;
  }
  const members = [
    ...users.filter((row) => Number(row[3]) === gid).map(([name]) => name),
    ...(group[3] ?? '').split(',').filter((name) => name !== ''),
  ];
  return members.length > 0 && members.every((name) => name === owner[0]);
}

function rowsOf(path: string): readonly (readonly string[])[] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => /^[^#]/.test(line))
      .map((line) => line.split(':'));
  } catch {
    return [];
  }
}
