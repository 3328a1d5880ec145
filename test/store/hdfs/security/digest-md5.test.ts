// DIGEST-MD5, judged by the JDK's side of it, and by the example of RFC 2831.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { MessagesCover } from '../../../../src/store/hdfs/security/covers.js';
import type { DigestLayer } from '../../../../src/store/hdfs/security/digest-layer.js';
import { DigestMd5 } from '../../../../src/store/hdfs/security/digest-md5.js';
import { type Protection, strongestFirst } from '../../../../src/store/hdfs/security/protection.js';

const [userName, password] = ['YWxpY2U=', 'c2VjcmV0IQ=='];

interface Judge {
  ask(line: string): Promise<Buffer>;
  end(): Promise<void>;
}

function startJudge(): Judge {
  const java = spawn(
    'java',
    ['-XX:TieredStopAtLevel=1', join(import.meta.dirname, 'DigestJudge.java')],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const lines = createInterface({ input: java.stdout })[Symbol.asyncIterator]();
  return {
    ask: async (line) => {
      java.stdin.write(`${line}\n`);
      const next: IteratorResult<string, undefined> = await lines.next();
      const value = next.value ?? 'ended';
      if (next.done === true || value.startsWith('refused')) {
        throw new Error(`the JDK ${value}`);
      }
      return Buffer.from(value, 'hex');
    },
    end: async () => {
      java.stdin.end();
      if (java.exitCode === null) {
        await once(java, 'exit');
      }
    },
  };
}

let judge: Judge;
/** Java compiles it first, which a busy machine takes its time for. */
const startTimeoutMs = 240_000;
beforeAll(async () => {
  judge = startJudge();
  await judge.ask(`start auth ${userName} ${password}`);
}, startTimeoutMs);
afterAll(async () => {
  await judge.end();
});

function digestOf(protections: readonly Protection[], secret = password): DigestMd5 {
  return new DigestMd5({ userName, password: secret, uri: 'hdfs/0', protections, where: 'here' });
}

async function agreed(offered: string, protections: readonly Protection[]) {
  const digest = digestOf(protections);
  const answer = digest.respond(await judge.ask(`start ${offered} ${userName} ${password}`));
  return digest.confirm(await judge.ask(`step ${answer.toString('hex')}`));
}

async function protectedBy(protection: Protection): Promise<DigestLayer> {
  const { layer } = await agreed(protection, [protection]);
  if (layer === undefined) {
    throw new Error('nothing is protected');
  }
  return layer;
}

test('the example of the RFC', () => {
  const digest = new DigestMd5({
    userName: 'chris',
    password: 'secret',
    uri: 'imap/elwood.innosoft.com',
    protections: ['auth'],
    where: 'here',
    clientNonce: 'OA6MHXh6VqTrRk',
  });
  const challenge =
    'realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",qop="auth",algorithm=md5-sess,charset=utf-8';
  expect(digest.respond(Buffer.from(challenge)).toString()).toContain(
    'response=d388dad90d4bbd760a152321f2143af7',
  );
  const proof = Buffer.from('rspauth=ea40f60335c427b5527b84dbabcdfffd');
  expect(digest.confirm(proof)).toEqual({ protection: 'auth', layer: undefined });
});

test.each([
  ['auth', strongestFirst, 'auth'],
  ['auth,auth-int,auth-conf', strongestFirst, 'auth-conf'],
  ['auth,auth-int', strongestFirst, 'auth-int'],
  ['auth,auth-int,auth-conf', ['auth-int', 'auth'], 'auth-int'],
] as const)(
  'of %s the JDK and we agree on what is liked best',
  async (offered, liked, expected) => {
    expect((await agreed(offered, liked)).protection).toBe(expected);
  },
  60_000,
);

test('nothing is agreed on with one who offers less than is asked for', async () => {
  const challenge = await judge.ask(`start auth ${userName} ${password}`);
  expect(() => digestOf(['auth-conf', 'auth-int']).respond(challenge)).toThrow(
    expect.objectContaining({
      code: 'unsupported',
      message: expect.stringContaining('found auth;') as string,
    }) as Error,
  );
});

test('one who has another secret is refused there', async () => {
  const challenge = await judge.ask(`start auth ${userName} ${password}`);
  const answer = digestOf(['auth'], 'b3RoZXI=').respond(challenge);
  await expect(judge.ask(`step ${answer.toString('hex')}`)).rejects.toThrow('refused');
});

test('one who proves nothing is refused here', async () => {
  const digest = digestOf(['auth']);
  digest.respond(await judge.ask(`start auth ${userName} ${password}`));
  for (const proof of ['rspauth=00', `rspauth=${'0'.repeat(32)}`, 'realm="x"', '']) {
    expect(() => digest.confirm(Buffer.from(proof))).toThrow(
      expect.objectContaining({ code: 'permission-denied' }) as Error,
    );
  }
});

describe.each(['auth-int', 'auth-conf'] as const)('%s', (protection) => {
  // The JDK makes nothing of nothing.
  const sizesBytes = [1, 5, 6, 7, 8, 9, 15, 16, 1000, 65_000];

  test('what is wrapped on one side is unwrapped on the other, message after message', async () => {
    const layer = await protectedBy(protection);
    for (const sizeBytes of [...sizesBytes, ...sizesBytes]) {
      const message = Buffer.alloc(sizeBytes, sizeBytes % 251);
      const sent = await judge.ask(`unwrap ${layer.wrap(message).toString('hex')}`);
      expect(sent.equals(message)).toBe(true);
      const received = layer.unwrap(await judge.ask(`wrap ${message.toString('hex')}`));
      expect(received.equals(message)).toBe(true);
    }
  });

  test('a message that was changed, left out, or comes twice is refused', async () => {
    for (const change of [0, 8, -1, -5, -7, -16]) {
      const layer = await protectedBy(protection);
      const wrapped = await judge.ask(
        `wrap ${Buffer.from('a message of some length').toString('hex')}`,
      );
      wrapped[change < 0 ? wrapped.length + change : change] ^= 1;
      expect(() => layer.unwrap(wrapped)).toThrow('changed on its way');
    }
    const layer = await protectedBy(protection);
    const [first, second] = [await judge.ask('wrap 01'), await judge.ask('wrap 02')];
    expect(layer.unwrap(first)).toEqual(Buffer.from([1]));
    expect(() => layer.unwrap(first)).toThrow('changed on its way');
    expect(second).toHaveLength(first.length);
    const other = await protectedBy(protection);
    await judge.ask('wrap 01');
    const later = await judge.ask('wrap 02');
    expect(() => other.unwrap(later)).toThrow('changed on its way');
    for (const short of [Buffer.alloc(0), Buffer.alloc(5), Buffer.alloc(16), Buffer.alloc(21)]) {
      expect(() => layer.unwrap(short)).toThrow('changed on its way');
    }
  });

  test('a stream of messages may come in any pieces', async () => {
    const layer = await protectedBy(protection);
    const cover = new MessagesCover(layer, 'here');
    const messages = [Buffer.alloc(100, 1), Buffer.alloc(70_000, 2), Buffer.alloc(3, 3)];
    const wire: Buffer[] = [];
    for (const message of messages) {
      const wrapped = await judge.ask(`wrap ${message.toString('hex')}`);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(wrapped.length);
      wire.push(length, wrapped);
    }
    const bytes = Buffer.concat(wire);
    const opened: Buffer[] = [];
    for (let at = 0, pieceBytes = 1; at < bytes.length; at += pieceBytes, pieceBytes += 7) {
      opened.push(cover.open(bytes.subarray(at, at + pieceBytes)));
    }
    expect(Buffer.concat(opened).equals(Buffer.concat(messages))).toBe(true);
    expect(cover.hasPart).toBe(false);
    cover.open(Buffer.from([0, 0]));
    expect(cover.hasPart).toBe(true);
    expect(() => cover.open(Buffer.from([0x7f, 0xff, 0xff, 0xff]))).not.toThrow('changed');
  });

  test('what is sealed is cut into what the other side takes at once', async () => {
    const layer = await protectedBy(protection);
    const bytes = Buffer.alloc(200_000, 7);
    const sealed = new MessagesCover(layer, 'here').seal(bytes);
    const opened: Buffer[] = [];
    for (let at = 0; at < sealed.length;) {
      const endBytes = at + 4 + sealed.readUInt32BE(at);
      expect(endBytes - at - 4).toBeLessThanOrEqual(65_536);
      opened.push(await judge.ask(`unwrap ${sealed.subarray(at + 4, endBytes).toString('hex')}`));
      at = endBytes;
    }
    expect(Buffer.concat(opened).equals(bytes)).toBe(true);
  });
});

test('a length that no message has is refused before memory is taken', async () => {
  for (const length of [0, 2 ** 31 - 1, 2 ** 32 - 1]) {
    const cover = new MessagesCover(await protectedBy('auth-int'), 'here');
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(length);
    expect(() => cover.open(bytes)).toThrow(
      expect.objectContaining({ code: 'unsupported' }) as Error,
    );
  }
});

test.each([
  ['nothing', ''],
  ['no algorithm', 'nonce="a",qop="auth"'],
  ['another algorithm', 'nonce="a",algorithm=md5'],
  ['no nonce', 'algorithm=md5-sess'],
  ['noise', '\u0000\u0001'],
  ['a text that does not end', 'nonce="a'],
  ['a buffer of nothing', 'nonce="a",algorithm=md5-sess,maxbuf=0'],
  ['too much', `nonce="${'a'.repeat(3000)}",algorithm=md5-sess`],
])('%s in place of a challenge is refused', (_, challenge) => {
  expect(() => digestOf(['auth']).respond(Buffer.from(challenge))).toThrow(
    expect.objectContaining({ code: 'unsupported' }) as Error,
  );
});

test('only other ciphers than 3DES are refused by name', () => {
  const challenge = 'nonce="a",algorithm=md5-sess,qop="auth-conf",cipher="rc4,des"';
  expect(() => digestOf(['auth-conf']).respond(Buffer.from(challenge))).toThrow('found rc4,des');
});
