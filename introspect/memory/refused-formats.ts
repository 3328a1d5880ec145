// Dumps that are known by their first bytes and not read: better refused by name than taken for raw RAM.
import { ParsError } from '../pars-error.js';

interface RefusedFormat {
  readonly magic: Buffer;
  readonly name: string;
  /** What makes something of it that is read. */
  readonly remedy: string;
}

const fromKdump =
  'write an ELF core instead: QEMU `dump-guest-memory FILE`, `virsh dump --memory-only --format elf`, or convert it with `makedumpfile -E -d 0`';
const fromLime =
  'convert it with `avml-convert --source-format FORMAT --format raw`, FORMAT being lime or lime_compressed; ' +
  'offsets are then addresses, which a map file says where the guest has RAM above 4 GiB';

const refusedFormats: readonly RefusedFormat[] = [
  { magic: Buffer.from('KDUMP   '), name: 'a kdump-compressed dump', remedy: fromKdump },
  {
    magic: Buffer.from('makedumpfile'),
    name: 'a flattened kdump-compressed dump',
    remedy: fromKdump,
  },
  { magic: Buffer.from('EMiL'), name: 'a LiME dump', remedy: fromLime },
  { magic: Buffer.from('AVML'), name: 'a compressed AVML dump', remedy: fromLime },
];

/** Throws `unsupported` when the file begins like one of them. */
export function refuseKnownFormats(head: Buffer, path: string): void {
  for (const { magic, name, remedy } of refusedFormats) {
    if (head.subarray(0, magic.length).equals(magic)) {
      throw new ParsError('unsupported', `${path} is ${name}, which is not read: ${remedy}`);
    }
  }
}
