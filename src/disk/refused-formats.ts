// Disk images that are containers, known by their first bytes: compared as raw bytes they would only ever differ.
import { ParsError } from '../../introspect/pars-error.js';

interface RefusedFormat {
  readonly name: string;
  readonly magic: Buffer;
  readonly offsetBytes?: number;
}

const refusedFormats: readonly RefusedFormat[] = [
  { name: 'a qcow2 image', magic: Buffer.from('QFI\xfb', 'latin1') },
  { name: 'a QED image', magic: Buffer.from('QED\0', 'latin1') },
  { name: 'a VMDK image', magic: Buffer.from('KDMV') },
  { name: 'a VMDK image', magic: Buffer.from('COWD') },
  { name: 'the description of a VMDK image', magic: Buffer.from('# Disk DescriptorFile') },
  { name: 'a VDI image', magic: Buffer.from([0x7f, 0x10, 0xda, 0xbe]), offsetBytes: 0x40 },
  { name: 'a VHDX image', magic: Buffer.from('vhdxfile') },
  { name: 'a VHD image', magic: Buffer.from('conectix') },
  { name: 'a Parallels image', magic: Buffer.from('WithoutFreeSpace') },
  { name: 'a Parallels image', magic: Buffer.from('WithouFreSpacExt') },
];

/** What `refuseKnownFormats` looks at. */
export const diskHeadBytes = 512;

/** Throws `unsupported` when the disk begins like one of them. */
export function refuseKnownFormats(head: Buffer, path: string): void {
  for (const { name, magic, offsetBytes = 0 } of refusedFormats) {
    if (head.subarray(offsetBytes, offsetBytes + magic.length).equals(magic)) {
      throw new ParsError(
        'unsupported',
        `${path} is ${name}: expected the disk's raw bytes. Convert it with \`qemu-img convert -O raw\`, ` +
          'or attach it with `qemu-nbd --read-only --connect=/dev/nbd0` and name /dev/nbd0',
      );
    }
  }
}
