// What is said on a connection to a DataNode before the first operation, where the cluster wants a proof or protects what is sent
// (SaslDataTransferClient):
//
//   we         DE AD BE EF, then an empty message
//   DataNode   a challenge of DIGEST-MD5
//   we         the answer; and that AES would do, where all is to be encrypted
//   DataNode   its own proof; and keys for AES, where it has that set
//
// The proof is the block access token, or where the cluster encrypts all transfer, a key that the NameNode gives out. Whoever asks
// for encryption gets AES where the DataNode has it set (dfs.encrypt.data.transfer.cipher.suites), else 3DES, which is slow.

import { ParsError } from '../../../../introspect/pars-error.js';
import type { PeerStream } from '../net/peer-stream.js';
import {
  cipherSuites,
  handshakeMagic,
  type HandshakeMessage,
  handshakeMessage,
  handshakeStatuses,
} from '../proto/datatransfer.js';
import type { DataEncryptionKey } from '../proto/hdfs.js';
import type { Token } from '../proto/security.js';
import { aesCover, MessagesCover } from '../security/covers.js';
import { DigestMd5 } from '../security/digest-md5.js';
import type { Protection } from '../security/protection.js';

/** The longest message: a challenge, or a text with a Java exception. */
const maxMessageBytes = 1024 * 1024;
/** A DataNode that works answers in milliseconds; under load it waits for a thread. */
const handshakeTimeoutMs = 10_000;
/** SaslParticipant.PROTOCOL and SERVER_NAME. */
const uri = 'hdfs/0';

export interface Proof {
  readonly userName: string;
  readonly password: string;
  /** Best liked first. */
  readonly protections: readonly Protection[];
}

/** The DataNode does not know the key any more, or not yet: the NameNode has another by now. */
export class UnknownKey extends ParsError {
  constructor(message: string) {
    super('unavailable', message);
  }
}

export function proofByToken(token: Token, protections: readonly Protection[]): Proof {
  return {
    userName: base64(token.identifier),
    password: base64(token.password),
    protections,
  };
}

export function proofByKey(key: DataEncryptionKey): Proof {
  // A number of 32 bits with a sign.
  const keyId = key.keyId | 0;
  return {
    userName: `${keyId} ${key.blockPoolId} ${base64(key.nonce)}`,
    password: base64(key.encryptionKey),
    protections: ['auth-conf'],
  };
}

/**
 * Proves to the DataNode who asks, has it prove the same, and protects the stream as both agree. Throws `unavailable` for a
 * DataNode that refuses or says nothing for too long, `permission-denied` for one that proves nothing.
 */
export async function shakeHands(
  stream: PeerStream,
  { userName, password, protections }: Proof,
  doing: string,
  timeoutMs: number = handshakeTimeoutMs,
): Promise<void> {
  const where = `${doing} at ${stream.hostPort}: the handshake`;
  const receive = async (): Promise<HandshakeMessage> => {
    const message = await stream.message(handshakeMessage, maxMessageBytes, timeoutMs);
    if (message.status === handshakeStatuses.success) {
      return message;
    }
    const [text] = (message.message ?? 'no reason').split('\n', 1);
    if (message.status === handshakeStatuses.unknownKey) {
      throw new UnknownKey(`${where}: the DataNode does not know the key: ${text}`);
    }
    throw new ParsError('unavailable', `${where}: the DataNode refuses: ${text}`);
  };

  const magic = Buffer.alloc(4);
  magic.writeUInt32BE(handshakeMagic);
  await stream.write(Buffer.concat([magic, answer(new Uint8Array())]));
  const digest = new DigestMd5({ userName, password, uri, protections, where });
  const { payload: challenge = new Uint8Array() } = await receive();
  const isPrivacyWanted = protections.includes('auth-conf');
  const options = isPrivacyWanted ? [{ suite: cipherSuites.aesCtr }] : [];
  await stream.write(answer(digest.respond(challenge), options));
  const { payload = new Uint8Array(), cipherOption } = await receive();
  const { protection, layer } = digest.confirm(payload);
  if (layer === undefined) {
    return;
  }
  const [option] = cipherOption as readonly ((typeof cipherOption)[number] | undefined)[];
  if (protection !== 'auth-conf' || option === undefined) {
    stream.protect(new MessagesCover(layer, where));
    return;
  }
  if (option.suite !== cipherSuites.aesCtr) {
    throw new ParsError(
      'unsupported',
      `${where}: expected AES/CTR/NoPadding, the one that was offered, found cipher suite ${option.suite}`,
    );
  }
  stream.protect(aesCover(option, layer, where));
}

function answer(payload: Uint8Array, options: HandshakeMessage['cipherOption'] = []): Buffer {
  return handshakeMessage.encodeDelimited({
    status: handshakeStatuses.success,
    payload,
    cipherOption: options,
  });
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
