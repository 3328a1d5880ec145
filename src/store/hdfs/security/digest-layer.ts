// The protection of what is said after DIGEST-MD5 (RFC 2831, 2.3 and 2.4). Each message is one of:
//
//   auth-int     message, the first 10 bytes of its HMAC, 00 01, its number in 4 bytes
//   auth-conf    3DES(message, padding, the first 10 bytes of the HMAC), 00 01, its number
//
// The HMAC is over the number and the message. Numbers go up by one on either side, so nothing can be left out, sent twice or put
// elsewhere. 3DES runs on from message to message.

import {
  type Cipher,
  createCipheriv,
  createDecipheriv,
  createHmac,
  type Decipher,
  timingSafeEqual,
} from 'node:crypto';
import { ParsError } from '../../../../introspect/pars-error.js';
import { md5 } from './md5.js';

const macBytes = 10;
const tailBytes = 6;
const desBlockBytes = 8;
const messageType = 1;

export class DigestLayer {
  /** The longest message that the other side takes. */
  readonly maxMessageBytes: number;
  readonly #where: string;
  readonly #sendKey: Buffer;
  readonly #receiveKey: Buffer;
  readonly #cipher: Cipher | undefined;
  readonly #decipher: Decipher | undefined;
  #sentCount = 0;
  #receivedCount = 0;

  /** `sessionHash` is H(A1) of RFC 2831, which both sides know. */
  constructor(
    sessionHash: Buffer,
    protection: 'auth-int' | 'auth-conf',
    maxBufferBytes: number,
    where: string,
  ) {
    const key = (what: string): Buffer => md5(sessionHash, what);
    const signing = (way: string): string =>
      `Digest session key to ${way} signing key magic constant`;
    const sealing = (way: string): string => `Digest H(A1) to ${way} sealing key magic constant`;
    this.#where = where;
    this.#sendKey = key(signing('client-to-server'));
    this.#receiveKey = key(signing('server-to-client'));
    this.maxMessageBytes = maxBufferBytes - macBytes - tailBytes;
    if (protection === 'auth-conf') {
      this.maxMessageBytes -= desBlockBytes + 2;
      this.#cipher = tripleDes(createCipheriv, key(sealing('client-to-server')));
      this.#decipher = tripleDes(createDecipheriv, key(sealing('server-to-client')));
    }
  }

  wrap(message: Uint8Array): Buffer {
    const number = numberBytes(this.#sentCount++);
    const mac = macOf(this.#sendKey, number, message);
    const tail = Buffer.concat([Buffer.from([0, messageType]), number]);
    if (this.#cipher === undefined) {
      return Buffer.concat([message, mac, tail]);
    }
    const paddingBytes = desBlockBytes - ((message.length + macBytes) % desBlockBytes);
    const padding = Buffer.alloc(paddingBytes, paddingBytes);
    return Buffer.concat([this.#cipher.update(Buffer.concat([message, padding, mac])), tail]);
  }

  /** Throws `unavailable` for bytes that were not sent by the other side, or not as the next ones. */
  unwrap(wrapped: Uint8Array): Buffer {
    const bodyBytes = wrapped.length - tailBytes;
    const number = numberBytes(this.#receivedCount++);
    const tail = Buffer.from(wrapped.subarray(Math.max(0, bodyBytes)));
    if (
      bodyBytes < macBytes ||
      tail.readUInt16BE(0) !== messageType ||
      !number.equals(tail.subarray(2))
    ) {
      throw this.#forged('a message of another form or another place');
    }
    const body = this.#opened(Buffer.from(wrapped.subarray(0, bodyBytes)));
    const macAt = body.length - macBytes;
    const message = body.subarray(
      0,
      this.#decipher === undefined ? macAt : this.#unpadded(body, macAt),
    );
    if (!timingSafeEqual(macOf(this.#receiveKey, number, message), body.subarray(macAt))) {
      throw this.#forged('a message whose keyed checksum is not its own');
    }
    return message;
  }

  #opened(body: Buffer): Buffer {
    if (this.#decipher === undefined) {
      return body;
    }
    if (body.length % desBlockBytes !== 0 || body.length < macBytes + 1) {
      throw this.#forged('a message that is no whole number of cipher blocks');
    }
    return this.#decipher.update(body);
  }

  /** Where the message ends: padding says its own length. A wrong one is found by the checksum, as everything else. */
  #unpadded(body: Buffer, macAt: number): number {
    const paddingBytes = body[macAt - 1];
    return Math.max(0, macAt - Math.min(paddingBytes, desBlockBytes));
  }

  #forged(found: string): ParsError {
    return new ParsError(
      'unavailable',
      `${this.#where}: expected the next message of the other side, found ${found}: it was changed on its way`,
    );
  }
}

function macOf(key: Buffer, number: Buffer, message: Uint8Array): Buffer {
  return createHmac('md5', key).update(number).update(message).digest().subarray(0, macBytes);
}

function numberBytes(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number % 2 ** 32);
  return bytes;
}

/** Two keys of 7 bytes each, of which the first is used twice; the last 8 bytes are where the chain begins. */
function tripleDes<T extends Cipher | Decipher>(
  create: (algorithm: string, key: Buffer, iv: Buffer) => T,
  sealingKey: Buffer,
): T {
  const [first, second] = [desKey(sealingKey.subarray(0, 7)), desKey(sealingKey.subarray(7, 14))];
  const made = create(
    'des-ede3-cbc',
    Buffer.concat([first, second, first]),
    sealingKey.subarray(8),
  );
  made.setAutoPadding(false);
  return made;
}

/** 56 bits as the upper seven of eight bytes; the eighth, for parity, is not looked at. */
function desKey(bits: Buffer): Buffer {
  let value = BigInt(`0x${bits.toString('hex')}`);
  const key = Buffer.alloc(8);
  for (let index = 7; index >= 0; index--) {
    key[index] = Number(value & 0x7fn) << 1;
    value >>= 7n;
  }
  return key;
}
