// The folder that a restore writes to. It is nobody else's: what lies there is a guest's memory and disks, and a script that
// may be run as root.
import { resolve } from 'node:path';
import { expectOwnFolder, makeOwnFolder } from '../../host/own-folder.js';

const use = {
  what: 'the folder of the restore',
  mayBeForAll: true,
  remedy: 'restore to a folder of your own; one that does not exist is made',
};
/** Others may go through it: a QEMU that libvirt starts has a user of its own. What lies in it, they cannot read. */
const mode = 0o755;

/** Throws `permission-denied` when somebody else could change what is written there. One that is missing is well. */
export function expectOutputFolder(folder: string): void {
  expectOwnFolder(resolve(folder), use);
}

export function makeOutputFolder(folder: string): void {
  makeOwnFolder(resolve(folder), use, mode);
}
