// Files of tokens: made here byte by byte, and broken. Those that Hadoop writes are read in the tests of real clusters.

import fc from 'fast-check';
import { credentials, type Token } from '../../../../src/store/hdfs/proto/security.js';
import { ownerOf } from '../../../../src/store/hdfs/security/delegation-token.js';
import { parseTokenFile } from '../../../../src/store/hdfs/security/token-file.js';

/** WritableUtils.writeVInt of lengths. */
function vint(value: number): Buffer {
  if (value <= 127) {
    return Buffer.from([value]);
  }
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) {
    bytes.unshift(rest % 256);
  }
  return Buffer.from([256 - 112 - bytes.length, ...bytes]);
}

function field(value: Uint8Array | string): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([vint(bytes.length), bytes]);
}

function writableFile(tokens: readonly Token[]): Buffer {
  const parts = tokens.flatMap(({ identifier, password, kind, service }) => [
    field('alias'),
    ...[identifier, password, kind, service].map(field),
  ]);
  return Buffer.concat([Buffer.from('HDTS\0'), vint(tokens.length), ...parts, vint(0)]);
}

function protobufFile(tokens: readonly Token[]): Buffer {
  const message = credentials.encodeDelimited({
    tokens: tokens.map((token) => ({ alias: 'alias', token })),
  });
  return Buffer.concat([Buffer.from('HDTS\u0001'), message]);
}

const tokens = fc.array(
  fc.record({
    identifier: fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
    password: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    kind: fc.string(),
    service: fc.string({ maxLength: 300 }),
  }),
  { maxLength: 5 },
);

test('both forms are read', () => {
  fc.assert(
    fc.property(tokens, (given) => {
      expect(parseTokenFile(writableFile(given), 'a file')).toEqual(given);
      expect(parseTokenFile(protobufFile(given), 'a file')).toEqual(given);
    }),
  );
});

test('whatever is cut off or changed is read as something or refused, in words', () => {
  fc.assert(
    fc.property(tokens, fc.boolean(), fc.nat(), fc.nat(255), (given, isWritable, at, byte) => {
      const bytes = isWritable ? writableFile(given) : protobufFile(given);
      const changed = Buffer.from(bytes);
      changed[at % bytes.length] = byte;
      for (const broken of [changed, bytes.subarray(0, at % bytes.length)]) {
        try {
          parseTokenFile(broken, 'a file');
        } catch (error) {
          expect(error).toMatchObject({ name: 'ParsError', code: 'usage' });
          expect((error as Error).message).toContain('a file: expected a file of tokens');
        }
      }
    }),
  );
});

test.each([
  ['nothing', Buffer.alloc(0), 'another beginning'],
  ['text', Buffer.from('<configuration/>'), 'another beginning'],
  ['a later form', Buffer.from('HDTS\u0002'), 'version 2'],
  ['a count beyond reason', Buffer.from('HDTS\0\x8c\x7f\xff\xff\xff', 'latin1'), 'at most'],
  ['a length without an end', Buffer.from('HDTS\0\x01\x88\x7f', 'latin1'), 'begins with -120'],
  ['a field beyond the end', Buffer.from('HDTS\0\x01\x05ab', 'latin1'), '3 bytes early'],
])('%s is refused', (_, bytes, words) => {
  expect(() => parseTokenFile(bytes, 'a file')).toThrow(words);
});

test('the owner is who the identifier says, by his short name', () => {
  const owned = (name: string): Token => ({
    identifier: Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.alloc(9)]),
    password: Buffer.alloc(0),
    kind: 'HDFS_DELEGATION_TOKEN',
    service: '',
  });
  expect(ownerOf(owned('alice'))).toBe('alice');
  expect(ownerOf(owned('alice@EXAMPLE.COM'))).toBe('alice');
  expect(ownerOf(owned('nn/host@EXAMPLE.COM'))).toBe('nn');
  for (const identifier of [
    Buffer.alloc(0),
    Buffer.from([0]),
    Buffer.from([1, 1, 65]),
    Buffer.from([0, 9, 65]),
  ]) {
    expect(ownerOf({ ...owned('a'), identifier })).toBeUndefined();
  }
});
