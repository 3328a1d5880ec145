// What protects the bytes to and from a DataNode after a handshake: messages of SASL, each with its length before it, or AES as a
// stream.

import { createCipheriv, createDecipheriv } from 'node:crypto';
import { ParsError } from '../../../../introspect/pars-error.js';
import type { Cover } from '../net/peer-stream.js';
import type { CipherOption } from '../proto/datatransfer.js';
import type { DigestLayer } from './digest-layer.js';

const lengthBytes = 4;
/** DataNodes wrap what they have in hand, at most a packet. PacketReceiver.MAX_PACKET_SIZE, and what wrapping adds. */
const maxMessageBytes = 16 * 1024 * 1024 + 1024;

export class MessagesCover implements Cover {
  readonly #layer: DigestLayer;
  readonly #where: string;
  /** What came of a message whose end is still to come, with its length before it. */
  #pieces: Uint8Array[] = [];
  #sizeBytes = 0;

  constructor(layer: DigestLayer, where: string) {
    this.#layer = layer;
    this.#where = where;
  }

  get hasPart(): boolean {
    return this.#sizeBytes > 0;
  }

  seal(bytes: Uint8Array): Buffer {
    const sealed: Buffer[] = [];
    const { maxMessageBytes: pieceBytes } = this.#layer;
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      const message = this.#layer.wrap(bytes.subarray(at, at + pieceBytes));
      const length = Buffer.alloc(lengthBytes);
      length.writeUInt32BE(message.length);
      sealed.push(length, message);
    }
    return Buffer.concat(sealed);
  }

  open(arrived: Uint8Array): Buffer {
    // What arrived lies in memory that the next bytes come into.
    this.#pieces.push(Uint8Array.from(arrived));
    this.#sizeBytes += arrived.length;
    const opened: Buffer[] = [];
    for (;;) {
      const neededBytes = this.#neededBytes();
      if (this.#sizeBytes < neededBytes || neededBytes === lengthBytes) {
        return Buffer.concat(opened);
      }
      const bytes = this.#pieces.length === 1 ? this.#pieces[0] : Buffer.concat(this.#pieces);
      opened.push(this.#layer.unwrap(bytes.subarray(lengthBytes, neededBytes)));
      const rest = bytes.subarray(neededBytes);
      this.#pieces = rest.length === 0 ? [] : [rest];
      this.#sizeBytes = rest.length;
    }
  }

  /** With its length; that alone where it is not known yet. */
  #neededBytes(): number {
    if (this.#sizeBytes < lengthBytes) {
      return lengthBytes;
    }
    if (this.#pieces[0].length < lengthBytes) {
      this.#pieces = [Buffer.concat(this.#pieces)];
    }
    const [first] = this.#pieces;
    const sizeBytes = Buffer.from(first.buffer, first.byteOffset, first.length).readUInt32BE(0);
    if (sizeBytes === 0 || sizeBytes > maxMessageBytes) {
      throw new ParsError(
        'unsupported',
        `${this.#where}: expected a protected message of 1 to ${maxMessageBytes} bytes, found one of ${sizeBytes}`,
      );
    }
    return lengthBytes + sizeBytes;
  }
}

interface AesKeys {
  readonly inKey: Uint8Array;
  readonly inIv: Uint8Array;
  readonly outKey: Uint8Array;
  readonly outIv: Uint8Array;
}

/** AES in counter mode, which hides and does not sign: what comes is held against HDFS's checksums, as everywhere. */
export class AesCover implements Cover {
  readonly hasPart = false;
  readonly #cipher;
  readonly #decipher;

  /** The keys are the DataNode's: `in` is what it receives. */
  constructor({ inKey, inIv, outKey, outIv }: AesKeys) {
    this.#cipher = createCipheriv(algorithmOf(inKey), inKey, inIv);
    this.#decipher = createDecipheriv(algorithmOf(outKey), outKey, outIv);
  }

  seal(bytes: Uint8Array): Buffer {
    return this.#cipher.update(bytes);
  }

  open(arrived: Uint8Array): Buffer {
    return this.#decipher.update(arrived);
  }
}

const aesIvBytes = 16;
const aesKeyBytes: readonly number[] = [16, 24, 32];

/** The keys in `option`, which were wrapped by `layer`. Throws `unsupported` for others than AES has. */
export function aesCover(option: CipherOption, layer: DigestLayer, where: string): AesCover {
  const { inKey, inIv, outKey, outIv } = option;
  if (inKey !== undefined && inIv !== undefined && outKey !== undefined && outIv !== undefined) {
    const keys = { inKey: layer.unwrap(inKey), inIv, outKey: layer.unwrap(outKey), outIv };
    const isFit =
      [keys.inKey, keys.outKey].every((key) => aesKeyBytes.includes(key.length)) &&
      [inIv, outIv].every((iv) => iv.length === aesIvBytes);
    if (isFit) {
      return new AesCover(keys);
    }
  }
  throw new ParsError('unsupported', `${where}: expected keys for AES in both ways, found others`);
}

function algorithmOf(key: Uint8Array): string {
  return `aes-${8 * key.length}-ctr`;
}
