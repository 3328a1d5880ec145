// Where things lie in a spool. A snapshot is in the spool if and only if its folder is below `entries`, where it is renamed
// to last and from where it is renamed first: whatever a crash interrupts, an entry is there as a whole or not at all.
//
//   entries/VM.IDENTITY/          a snapshot to be sent: captured.json, attempts.json, and the files that captured.json names
//   incoming/VM.IDENTITY.part/    one on its way in, under its VM's capture lock
//   leaving/VM.IDENTITY/          one on its way out: sent, or dropped
//   state/sent.jsonl              which were sent, and as which snapshot
//   state/metrics.json            counters that outlive a run
//   state/seen-*.json             what a watched folder has given already
//   locks/                        who is at work (lock.ts)
//   dropped.jsonl                 which were dropped unsent, and why
//   hook.log                      what commands in the background said
//
// VM is the VM's name where that can stand in any path, else a hash of it (`vmPathPart`).
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { makeOwnFolder } from '../host/own-folder.js';
import { lockFolder } from './lock.js';

const spoolUse = { what: 'the spool', remedy: 'name another folder in spool.path' };
const partSuffix = '.part';
/** 128 bits: no two hashes meet. */
const hashDigitCount = 32;
const identityPattern = /^(.+)\.([0-9a-f]{16})$/;

export interface SpoolPaths {
  readonly root: string;
  readonly entries: string;
  readonly incoming: string;
  readonly leaving: string;
  readonly state: string;
  readonly dropped: string;
  readonly log: string;
}

/**
 * Makes the folders that are missing, readable by the owner alone: guest memory lies in them. Throws `permission-denied`
 * when somebody else could change what lies there.
 */
export function makeSpoolFolders(root: string): SpoolPaths {
  const paths: SpoolPaths = {
    root,
    entries: join(root, 'entries'),
    incoming: join(root, 'incoming'),
    leaving: join(root, 'leaving'),
    state: join(root, 'state'),
    dropped: join(root, 'dropped.jsonl'),
    log: join(root, 'hook.log'),
  };
  for (const folder of [
    root,
    paths.entries,
    paths.incoming,
    paths.leaving,
    paths.state,
    join(root, lockFolder),
  ]) {
    makeOwnFolder(folder, spoolUse);
  }
  return paths;
}

/** What a path holds as it is, with an identity and a suffix behind it. */
const plainName = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/;

/**
 * What stands for a VM in names of files: its own name where that is plain. Any other is known by its hash, since it may be too
 * long, and a file system may take two spellings for one; no plain name begins with `@`.
 */
export function vmPathPart(vm: string): string {
  return plainName.test(vm)
    ? vm
    : `@${createHash('sha256').update(vm).digest('hex').slice(0, hashDigitCount)}`;
}

/** `identity`: 16 hexadecimal digits that tell a snapshot from every other one. */
export const entryName = (vm: string, identity: string): string => `${vmPathPart(vm)}.${identity}`;

/** As `vmPathPart` has it. Undefined for a name that is none of an entry. */
export function vmPartOfEntry(name: string): string | undefined {
  return identityPattern.exec(name)?.[1];
}

export const partFolderName = (entry: string): string => `${entry}${partSuffix}`;

/** The entry that the folder was to become; undefined for a name of another kind. */
export function entryOfPart(name: string): string | undefined {
  const entry = name.endsWith(partSuffix) ? name.slice(0, -partSuffix.length) : '';
  return identityPattern.test(entry) ? entry : undefined;
}
