// A small file of virsh save, of a VM with one raw disk.
import { writeFileSync } from 'node:fs';
import { liveStream } from '../../introspect/memory/migration-sample.js';

const HEADER_BYTES = 92;

export function writeSave(path: string, domain: string, diskPath: string): void {
  const xml = `<domain type='qemu'><name>${domain}</name><memory>1024</memory><devices>
    <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${diskPath}'/>
    <target dev='vda'/></disk></devices></domain>\0`;
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('LibvirtQemudSave');
  [2, Buffer.byteLength(xml), 1, 0, 0].forEach((value, index) => {
    header.writeUInt32LE(value, 16 + 4 * index);
  });
  writeFileSync(path, Buffer.concat([header, Buffer.from(xml), liveStream()]));
}
