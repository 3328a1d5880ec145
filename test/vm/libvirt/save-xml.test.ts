// The XML is read out of save files whole, and out of nothing else.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSaveXml } from '../../../src/vm/libvirt/save-xml.js';
import { sampleDomain } from './sample-domain.js';

let folder: string;
let path: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pars-save-xml-'));
  path = join(folder, 'save');
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function save(data: string, stream = 'QEVM'): Buffer {
  const header = Buffer.alloc(92);
  header.write('LibvirtQemudSave');
  header.writeUInt32LE(2, 16);
  header.writeUInt32LE(Buffer.byteLength(data), 20);
  return Buffer.concat([header, Buffer.from(data), Buffer.from(stream)]);
}

test.each([
  ['with a cookie behind it', `${sampleDomain}\0<qemu:cookie>1</qemu:cookie>\0`],
  ['without one', `${sampleDomain}\0`],
])('the XML %s is the domain alone', (_, data) => {
  writeFileSync(path, save(data));
  expect(readSaveXml(path)).toBe(sampleDomain);
});

test.each([
  ['that is none of virsh', Buffer.from('ELF'), /expected a file of virsh save/],
  ['without XML', save('<other/>\0'), /expected a file of virsh save/],
  ['that virsh has not finished', Buffer.from('LibvirtQemudPart'), /not finished/],
])('a file %s is refused', (_, content, message) => {
  writeFileSync(path, content);
  expect(() => readSaveXml(path)).toThrow(message);
});
