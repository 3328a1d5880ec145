// The file of tokens that `hdfs fetchdt` writes and HADOOP_TOKEN_FILE_LOCATION names (org.apache.hadoop.security.Credentials):
//
//   "HDTS" 0   count, then each: alias, identifier, password, kind, service; then secret keys
//   "HDTS" 1   the same as a message with its length before it
//
// In the first form texts and bytes have their length before them as one to five bytes (WritableUtils.writeVInt).

import { ParsError } from '../../../../introspect/pars-error.js';
import { credentials, type Token } from '../proto/security.js';
import { WireReader } from '../wire/wire-reader.js';

/** Tokens have some hundred bytes each, and a job has a few dozen. */
export const maxTokenFileBytes = 2 ** 20;
const maxTokenCount = 4_096;

const magic = Buffer.from('HDTS');
const forms = { writable: 0, protobuf: 1 } as const;

/** `where` is the file, for messages. Throws `usage` for what is no file of tokens. */
export function parseTokenFile(bytes: Buffer, where: string): readonly Token[] {
  const wrong = (found: string): ParsError =>
    new ParsError(
      'usage',
      `${where}: expected a file of tokens as hdfs fetchdt writes it, found ${found}`,
    );
  if (bytes.length > maxTokenFileBytes) {
    throw wrong(`one of ${bytes.length} bytes; at most ${maxTokenFileBytes} are read`);
  }
  const startBytes = magic.length + 1;
  if (bytes.length < startBytes || !bytes.subarray(0, magic.length).equals(magic)) {
    throw wrong('another beginning than HDTS');
  }
  const form = bytes[magic.length];
  if (form === forms.writable) {
    return readWritables(bytes.subarray(startBytes), wrong);
  }
  if (form !== forms.protobuf) {
    throw wrong(`version ${form}; 0 and 1 are known`);
  }
  try {
    const { tokens } = credentials.read(new WireReader(bytes.subarray(startBytes), where));
    return tokens.flatMap(({ token: found }) => (found === undefined ? [] : [found]));
  } catch (error) {
    throw error instanceof ParsError ? wrong(error.message) : error;
  }
}

function readWritables(bytes: Buffer, wrong: (found: string) => ParsError): readonly Token[] {
  let at = 0;
  const take = (sizeBytes: number): Buffer => {
    if (sizeBytes > bytes.length - at) {
      throw wrong(`its end ${sizeBytes - (bytes.length - at)} bytes early`);
    }
    at += sizeBytes;
    return bytes.subarray(at - sizeBytes, at);
  };
  const count = (): number => {
    const first = take(1).readInt8(0);
    if (first >= 0) {
      return first;
    }
    // -113 to -116 stand before one to four bytes of a number that does not fit; others stand for negative and larger ones.
    if (first > -113 || first < -116) {
      throw wrong(`a length that begins with ${first}`);
    }
    return take(-112 - first).reduce((value, byte) => value * 256 + byte, 0);
  };
  const field = (): Buffer => Buffer.from(take(count()));
  const tokenCount = count();
  if (tokenCount > maxTokenCount) {
    throw wrong(`${tokenCount} tokens; at most ${maxTokenCount} are read`);
  }
  return Array.from({ length: tokenCount }, () => {
    // By which a program finds one of its own.
    field();
    return {
      identifier: field(),
      password: field(),
      kind: field().toString(),
      service: field().toString(),
    };
  });
}
