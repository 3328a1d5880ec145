import { createHash } from 'node:crypto';
import { crc32c } from '@node-rs/crc32';
import fc from 'fast-check';
import { comparableMd5, FileChecksum } from '../../../src/store/webhdfs/file-checksum.js';

const mebibyte = 1024 * 1024;

function sampleBytes(sizeBytes: number): Uint8Array {
  return Uint8Array.from(
    { length: sizeBytes },
    (_, i) => (i * 31 + (i >>> 8) * 17 + (i >>> 16)) & 0xff,
  );
}

function checksumOf(bytes: Uint8Array, blockSizeBytes: number): string {
  const checksum = new FileChecksum(blockSizeBytes);
  checksum.update(bytes);
  return checksum.digest();
}

/** What GETFILECHECKSUM of Hadoop 3.4.2 answered for these sizes of `sampleBytes` with blocks of 1 MiB. */
const answers = [
  [0, '70bc8f4b72a86921468bf8e8441dce51'],
  [1, 'dc236201841049096ad31b6213203a90'],
  [511, '15b79efd7f0bbe315cb458fbf98110ed'],
  [512, '7a8bbbd1b0581732cddd8b10ad5dc979'],
  [513, '7504922c4ef2ad1876be408f724bcdb5'],
  [mebibyte - 1, '40046797a0539643ff655bd6740864bd'],
  [mebibyte, '560cb7f0dc5a2bdf1b8559dc32354ec8'],
  [mebibyte + 1, '02e692bdbf54c1b5775be5a887a50bfd'],
  [2 * mebibyte, '3c638df424c657e62bd97f925a4e2dd2'],
  [3 * mebibyte - 1, '994793993c46232c781757c28b5795b9'],
  [3 * mebibyte + 700, '339a3f75b8920ecf4e76b20a0eaaf0c8'],
  [5 * mebibyte - 513, 'db724be84e012cd7ce5ac2253912ba8f'],
  [5 * mebibyte + 5, '90121f146e9cb208ac954b136350474e'],
] as const;

describe('the file checksum', () => {
  it.each(answers)('of %i bytes is the one HDFS answers', (sizeBytes, md5) => {
    expect(checksumOf(sampleBytes(sizeBytes), mebibyte)).toBe(md5);
  });

  it.each([
    [1, 32],
    [2, 32],
    [3, 64],
    [4, 64],
    [5, 128],
    [6, 128],
    [9, 256],
  ])('of %i blocks is taken over %i bytes', (blockCount, bufferBytes) => {
    const bytes = sampleBytes(512 * blockCount);
    const buffer = Buffer.alloc(bufferBytes);
    for (let block = 0; block < blockCount; block++) {
      const crc = Buffer.alloc(4);
      crc.writeUInt32BE(crc32c(bytes.subarray(512 * block, 512 * (block + 1))));
      createHash('md5')
        .update(crc)
        .digest()
        .copy(buffer, 16 * block);
    }
    expect(checksumOf(bytes, 512)).toBe(createHash('md5').update(buffer).digest('hex'));
  });

  it('does not depend on how the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 6000 }),
        fc.array(fc.nat(1500), { minLength: 1, maxLength: 20 }),
        fc.constantFrom(512, 1024, 2048, 8192),
        (bytes, cutsBytes, blockSizeBytes) => {
          const checksum = new FileChecksum(blockSizeBytes);
          let offsetBytes = 0;
          for (const cutBytes of cutsBytes) {
            checksum.update(bytes.subarray(offsetBytes, offsetBytes + cutBytes));
            offsetBytes += cutBytes;
          }
          checksum.update(bytes.subarray(offsetBytes));
          expect(checksum.sizeBytes).toBe(bytes.length);
          expect(checksum.digest()).toBe(checksumOf(bytes, blockSizeBytes));
        },
      ),
    );
  });
});

describe('an answer of HDFS', () => {
  const md5 = '553c2d70cf5198e7012a2907d40786be';

  it('is comparable when it is of the usual algorithm', () => {
    const bytes = `000002000000000000000800${md5}00000000`;
    expect(comparableMd5('MD5-of-2048MD5-of-512CRC32C', bytes)).toBe(md5);
    expect(comparableMd5('MD5-of-0MD5-of-512CRC32C', bytes)).toBe(md5);
  });

  it.each(['COMPOSITE-CRC32C', 'MD5-of-0MD5-of-512CRC32', 'MD5-of-0MD5-of-4096CRC32C'])(
    'is not comparable when it is of %s',
    (algorithm) => {
      expect(comparableMd5(algorithm, `000002000000000000000000${md5}00000000`)).toBeUndefined();
    },
  );

  it('is not comparable when it is too short', () => {
    expect(comparableMd5('MD5-of-0MD5-of-512CRC32C', '00000200')).toBeUndefined();
  });
});
