// What an image without a kernel is said to be.
import { randomBytes, randomFillSync } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { reasonWithoutKernel } from '../../../introspect/label/no-kernel.js';
import { Ram } from '../ram.js';

const sizeBytes = 4 * 2 ** 20;
/** The scan reads this much at once, so a mark may lie across two reads. */
const stepBytes = 256 * 1024;

function reasonOf(fill: (bytes: Buffer) => void): string {
  const ram = new Ram(sizeBytes);
  fill(ram.bytes);
  return reasonWithoutKernel(ram);
}

test('ciphertext is recognised by having nothing but random pages', () => {
  const reason = reasonOf((bytes) => {
    randomFillSync(bytes);
    // Pages that the guest shares with its host are plain.
    bytes.fill(0, 0, Math.floor(sizeBytes / 20));
  });
  expect(reason).toMatch(/look encrypted \(SEV or TDX\)/);
});

test('a compressed file whose size is one of RAM is not called encrypted', () => {
  const packed = gzipSync(randomBytes(sizeBytes));
  expect(reasonOf((bytes) => packed.copy(bytes))).toBe(
    'it begins as what is compressed with gzip: probably no RAM',
  );
});

test('memory that is half random is not called encrypted', () => {
  const reason = reasonOf((bytes) => randomFillSync(bytes, 0, sizeBytes / 2));
  expect(reason).toMatch(/no VMCOREINFO page/);
});

test.each([
  ['Linux version 4.4.0 (gcc)', /a Linux kernel without VMCOREINFO/],
  ['ntoskrnl.exe', /a Windows guest/],
  ['@(#)FreeBSD 14.1', /a FreeBSD guest/],
  ['@(#)NetBSD 10', /a NetBSD guest/],
  ['nothing of the kind', /not a Linux guest, or not its whole memory/],
])('memory that holds "%s"', (text, reason) => {
  for (const at of [0, 5000, stepBytes - 3, 3 * stepBytes - 1, sizeBytes - text.length]) {
    expect(reasonOf((bytes) => bytes.write(text, at))).toMatch(reason);
  }
});
