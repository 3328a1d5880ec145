// Who may change what lies at a path. As sshd(8) asks of a user's files (StrictModes): a folder, and every one on the way
// to it, belongs to root or to us, and nobody else may write to it.
//
// - A folder on the way may be for everybody where it has the sticky bit, as /tmp has: what is ours there, others cannot
//   rename. (unlink(2), EPERM)
// - A group that has the owner as its only member is nobody else (accounts.ts).
// - A symbolic link that root or we have made, in a folder where nobody else can make one, is as good as a folder:
//   /var/run and a /home that lies elsewhere are such. Every other link is refused.
import type { Stats } from 'node:fs';
import { constants } from 'node:fs';
import { ParsError } from '../../introspect/pars-error.js';
import { isPrivateGroup, userWords } from './accounts.js';
import type { Step } from './walk-path.js';

/** For messages. */
export interface Use {
  /** Such as `the scratch folder`. */
  readonly what: string;
  /** What the user can do, such as `name another with --scratch DIR`. */
  readonly remedy: string;
}

const stickyBit = 0o1000;
const rootUser = 0;

/** The user as whom this process opens files. */
export const ownUser = (): number => process.geteuid?.() ?? rootUser;

/** Whether the user is root or the one as whom this process works. */
export const isTrustedUser = (uid: number): boolean => uid === rootUser || uid === ownUser();

/** Whether somebody else than its owner and root may write. */
export function isWritableByOthers({ mode, gid, uid }: Stats): boolean {
  return (
    (mode & constants.S_IWOTH) !== 0 ||
    ((mode & constants.S_IWGRP) !== 0 && !isPrivateGroup(gid, uid))
  );
}

/** A folder, or a file, whose content is for nobody else to change. Throws `permission-denied`. */
export function expectOwn(step: Step, path: string, use: Use): void {
  expectOwner(step, path, use);
  if (isWritableByOthers(step.stats)) {
    throw writableByOthers(step, path, use);
  }
}

/** A folder that a path leads through. Throws `permission-denied`. */
export function expectSafeThrough(step: Step, path: string, use: Use): void {
  expectOwner(step, path, use);
  if (isWritableByOthers(step.stats) && (step.stats.mode & stickyBit) === 0) {
    throw writableByOthers(step, path, use);
  }
}

/** A link that may be followed. Throws `permission-denied`. */
export function expectSafeLink(link: Step, folder: Step, path: string, use: Use): void {
  if (
    !isTrustedUser(link.stats.uid) ||
    !isTrustedUser(folder.stats.uid) ||
    isWritableByOthers(folder.stats)
  ) {
    throw new ParsError(
      'permission-denied',
      `${subject(link, path, use)} is a symbolic link that others may have made (it belongs to ${userWords(link.stats.uid)}, ` +
        `${folder.path} to ${userWords(folder.stats.uid)}), so it is not followed: give the path without it, or ${use.remedy}`,
    );
  }
}

function expectOwner(step: Step, path: string, use: Use): void {
  const { uid } = step.stats;
  if (!isTrustedUser(uid)) {
    const expected = ownUser() === rootUser ? 'root' : `root or ${userWords(ownUser())}`;
    throw new ParsError(
      'permission-denied',
      `${subject(step, path, use)} belongs to ${userWords(uid)}, who could read and replace what is put there; expected ` +
        `it to belong to ${expected}, and nothing was done: run pars as that user, or ${use.remedy}`,
    );
  }
}

function writableByOthers(step: Step, path: string, use: Use): ParsError {
  const mode = (step.stats.mode & 0o7777).toString(8).padStart(4, '0');
  return new ParsError(
    'permission-denied',
    `${subject(step, path, use)} may be written to by others than its owner (mode ${mode}), and nothing was done: take that ` +
      `right away (chmod go-w ${step.path}), or ${use.remedy}`,
  );
}

function subject(step: Step, path: string, { what }: Use): string {
  return step.path === path ? `${what} ${path}` : `${step.path}, on the way to ${what} ${path},`;
}
