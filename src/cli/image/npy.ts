// Labels as NumPy reads them: format .npy 1.0 (numpy/lib/format.py), one array of bytes.
//
//   \x93NUMPY 1 0   u16 length of the header   header, a Python literal padded to a multiple of 64   the array

const magic = Buffer.from('\x93NUMPY\x01\x00', 'latin1');
const alignmentBytes = 64;
const lengthFieldBytes = 2;

/** What stands before the bytes of an array of `count` unsigned bytes. */
export function npyHeader(count: number): Uint8Array {
  const text = `{'descr': '|u1', 'fortran_order': False, 'shape': (${count},), }`;
  const before = magic.length + lengthFieldBytes;
  // A newline ends the header, and the padding goes before it.
  const totalBytes = Math.ceil((before + text.length + 1) / alignmentBytes) * alignmentBytes;
  const header = Buffer.alloc(totalBytes, ' ');
  magic.copy(header);
  header.writeUInt16LE(totalBytes - before, magic.length);
  header.write(text, before, 'latin1');
  header.write('\n', totalBytes - 1, 'latin1');
  return header;
}
