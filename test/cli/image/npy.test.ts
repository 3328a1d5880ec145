// The header of a .npy file, byte for byte as NumPy 2 writes it itself (`numpy.save` of a uint8 array).
import fc from 'fast-check';
import { npyHeader } from '../../../src/cli/image/npy.js';

test('an array of 131072 labels begins as NumPy begins it', () => {
  expect(Buffer.from(npyHeader(131_072)).toString('latin1')).toBe(
    '\x93NUMPY\x01\x00\x76\x00' +
      "{'descr': '|u1', 'fortran_order': False, 'shape': (131072,), }".padEnd(0x75, ' ') +
      '\n',
  );
});

test('whatever the count, the array begins at a multiple of 64 and the header says where', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (count) => {
      const header = Buffer.from(npyHeader(count));
      expect(header.length % 64).toBe(0);
      expect(header.readUInt16LE(8)).toBe(header.length - 10);
      expect(header.toString('latin1')).toMatch(new RegExp(`'shape': \\(${count},\\), } *\\n$`));
    }),
  );
});
