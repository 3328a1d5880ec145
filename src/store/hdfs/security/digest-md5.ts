// DIGEST-MD5 of SASL (RFC 2831), by which Hadoop's daemons know who has a token: a secret that both sides have is proven by both
// and never sent. What is proven with it also makes the keys of what is said afterwards (digest-layer.ts).
//
//   server  realm="default",nonce="...",charset=utf-8,algorithm=md5-sess,qop="auth,auth-int",cipher="3des,rc4,..."
//   client  username="...",realm="default",nonce="...",cnonce="...",nc=00000001,qop=auth-int,digest-uri="/default",response=...
//   server  rspauth=...
//
// The algorithm is old, and is what Hadoop has. Tokens live for a day and are of 160 random bits, so MD5 is not what stands
// between them and a listener; that nobody changes or reads what is said rests on HMAC-MD5 and on 3DES or, where the cluster
// has it set, AES.

import { randomBytes, timingSafeEqual } from 'node:crypto';
import { ParsError } from '../../../../introspect/pars-error.js';
import { DigestLayer } from './digest-layer.js';
import { md5 } from './md5.js';
import type { Protection } from './protection.js';

export interface DigestOptions {
  readonly userName: string;
  readonly password: string;
  /** What is asked for, as both sides have to know it: `hdfs/0`. */
  readonly uri: string;
  /** Best liked first. */
  readonly protections: readonly Protection[];
  /** Opens the message of each error: what is done, and where. */
  readonly where: string;
  /** Random text; for tests. */
  readonly clientNonce?: string;
}

/** What protects the bytes that follow, undefined where nothing does. */
export interface Agreement {
  readonly protection: Protection;
  readonly layer: DigestLayer | undefined;
}

/** The others of RFC 2831 (rc4, des) are broken, and Node has them no more. */
const cipher = '3des';
/** What the other side takes at once unless it says otherwise. */
const defaultMaxBufferBytes = 65_536;
const maxChallengeBytes = 2_048;

export class DigestMd5 {
  readonly #options: DigestOptions;
  #sessionHash: Buffer | undefined;
  #expectedProof = '';
  #protection: Protection = 'auth';
  #maxBufferBytes = defaultMaxBufferBytes;

  constructor(options: DigestOptions) {
    this.#options = options;
  }

  /** The answer to the server's challenge. Throws `unsupported` where it offers nothing that may be used. */
  respond(challenge: Uint8Array): Buffer {
    const { userName, password, uri, where } = this.#options;
    const offer = parseDirectives(challenge, where);
    const nonce = offer.get('nonce') ?? '';
    if (nonce === '' || offer.get('algorithm') !== 'md5-sess') {
      throw refusal(where, 'expected a challenge of DIGEST-MD5 with a nonce, found another');
    }
    this.#protection = this.#choose(listOf(offer.get('qop') ?? 'auth'));
    const isPrivate = this.#protection === 'auth-conf';
    if (isPrivate && !listOf(offer.get('cipher') ?? '').includes(cipher)) {
      throw refusal(
        where,
        `expected the cipher ${cipher} among those of the other side, found ${offer.get('cipher') ?? 'none'}; in Hadoop that is ` +
          'dfs.encrypt.data.transfer.algorithm',
      );
    }
    this.#maxBufferBytes = maxBufferOf(offer.get('maxbuf'), where);
    const realm = offer.get('realm') ?? '';
    const clientNonce = this.#options.clientNonce ?? randomBytes(24).toString('base64');
    const count = '00000001';
    const secret = md5(`${userName}:${realm}:${password}`);
    const sessionHash = md5(secret, `:${nonce}:${clientNonce}`);
    this.#sessionHash = sessionHash;
    const proof = (method: string): string => {
      const entity = this.#protection === 'auth' ? '' : `:${'0'.repeat(32)}`;
      const asked = md5(`${method}:${uri}${entity}`).toString('hex');
      const parts = [nonce, count, clientNonce, this.#protection, asked];
      return md5(`${sessionHash.toString('hex')}:${parts.join(':')}`).toString('hex');
    };
    this.#expectedProof = proof('');
    return Buffer.from(
      [
        'charset=utf-8',
        `username=${quoted(userName)}`,
        `realm=${quoted(realm)}`,
        `nonce=${quoted(nonce)}`,
        `nc=${count}`,
        `cnonce=${quoted(clientNonce)}`,
        `digest-uri=${quoted(uri)}`,
        `maxbuf=${defaultMaxBufferBytes}`,
        `response=${proof('AUTHENTICATE')}`,
        `qop=${this.#protection}`,
        ...(isPrivate ? [`cipher=${quoted(cipher)}`] : []),
      ].join(','),
    );
  }

  /** Throws `permission-denied` unless `answer` proves that the server has the secret too. */
  confirm(answer: Uint8Array): Agreement {
    const { where } = this.#options;
    const proof = parseDirectives(answer, where).get('rspauth') ?? '';
    if (this.#sessionHash === undefined || !isSame(proof, this.#expectedProof)) {
      throw new ParsError(
        'permission-denied',
        `${where}: the other side does not prove that it knows the token's secret, so it is not who it says`,
      );
    }
    const protection = this.#protection;
    return {
      protection,
      layer:
        protection === 'auth'
          ? undefined
          : new DigestLayer(this.#sessionHash, protection, this.#maxBufferBytes, where),
    };
  }

  #choose(offered: readonly string[]): Protection {
    const { protections, where } = this.#options;
    const found = protections.find((protection) => offered.includes(protection));
    if (found === undefined) {
      throw refusal(
        where,
        `expected one of the protections ${protections.join(', ')}, found ${offered.join(', ')}; see hadoop.rpc.protection and ` +
          "dfs.data.transfer.protection of this machine's configuration and of the cluster's",
      );
    }
    return found;
  }
}

function isSame(found: string, expected: string): boolean {
  return (
    found.length === expected.length && timingSafeEqual(Buffer.from(found), Buffer.from(expected))
  );
}

function maxBufferOf(text: string | undefined, where: string): number {
  const sizeBytes = text === undefined ? defaultMaxBufferBytes : Number(text);
  if (!Number.isInteger(sizeBytes) || sizeBytes < 64 || sizeBytes > 2 ** 24) {
    throw refusal(where, `expected maxbuf from 64 to 2^24, found ${text ?? 'none'}`);
  }
  return sizeBytes;
}

/** name=value or name="value", with commas between; \ before a character within quotes. */
function parseDirectives(bytes: Uint8Array, where: string): ReadonlyMap<string, string> {
  const text = Buffer.from(bytes.subarray(0, maxChallengeBytes)).toString();
  const found = new Map<string, string>();
  const pattern = /[\s,]*([a-z-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^",\s]+))\s*(?=,|$)/giy;
  let endCharacters = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const quotedText = match.at(2);
    const value = quotedText === undefined ? match[3] : quotedText.replace(/\\(.)/g, '$1');
    found.set(match[1].toLowerCase(), value);
    endCharacters = pattern.lastIndex;
  }
  if (bytes.length > maxChallengeBytes || /[^\s,]/.test(text.slice(endCharacters))) {
    throw refusal(where, 'expected a message of DIGEST-MD5, found what is none');
  }
  return found;
}

function listOf(text: string): readonly string[] {
  return text.split(',').map((item) => item.trim());
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

function refusal(where: string, what: string): ParsError {
  return new ParsError('unsupported', `${where}: ${what}`);
}
