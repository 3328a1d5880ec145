// Negotiations with NameNodes that are not what they say. Those that go well are in the tests of real clusters.

import { type RpcSasl, saslStates } from '../../../../src/store/hdfs/proto/rpc-header.js';
import { SaslNegotiation } from '../../../../src/store/hdfs/rpc/sasl-negotiation.js';

const bytes = (text: string): Buffer => Buffer.from(text);
const token = {
  identifier: bytes('who'),
  password: bytes('secret'),
  kind: 'HDFS_DELEGATION_TOKEN',
  service: '127.0.0.1:8020',
};
const challenge = bytes('realm="default",nonce="n",qop="auth",charset=utf-8,algorithm=md5-sess');
const byToken = {
  method: 'TOKEN',
  mechanism: 'DIGEST-MD5',
  protocol: '',
  serverId: 'default',
  challenge,
};
const byKerberos = { method: 'KERBEROS', mechanism: 'GSSAPI', protocol: 'nn', serverId: 'host' };
const byName = { method: 'SIMPLE', mechanism: '' };

function negotiation(mayFallBack = false): SaslNegotiation {
  return new SaslNegotiation(
    { kind: 'token', token, protections: ['auth'], mayFallBack, userName: 'alice' },
    'a connection to nn:8020',
  );
}

const message = (state: number, more: Partial<RpcSasl> = {}): RpcSasl => ({
  state,
  auths: [],
  ...more,
});
const methods = (...auths: RpcSasl['auths']): RpcSasl => message(saslStates.negotiate, { auths });

test('the token is named by what it is known by, and its secret is not sent', () => {
  const step = negotiation().receive(methods(byKerberos, byToken));
  if (step.isOver) {
    throw new Error('it is not over');
  }
  expect(step.reply.state).toBe(saslStates.initiate);
  expect(step.reply.auths).toEqual([
    { method: 'TOKEN', mechanism: 'DIGEST-MD5', protocol: '', serverId: 'default' },
  ]);
  const answer = Buffer.from(step.reply.token ?? []).toString();
  expect(answer).toContain(`username="${token.identifier.toString('base64')}"`);
  expect(answer).toContain('digest-uri="/default"');
  expect(answer).not.toContain(token.password.toString('base64'));
});

test('a challenge may come after the choice', () => {
  const later = { ...byToken, challenge: undefined };
  const asked = negotiation();
  const first = asked.receive(methods(later));
  expect(first).toMatchObject({ isOver: false, reply: { token: new Uint8Array() } });
  const second = asked.receive(message(saslStates.challenge, { token: challenge }));
  expect(second).toMatchObject({ isOver: false, reply: { state: saslStates.response } });
});

test.each([
  ['Kerberos alone', methods(byKerberos), 'KERBEROS'],
  ['nothing', methods(), 'asks for '],
  ['a name alone', methods(byName), 'SIMPLE'],
  ['no proof at all', message(saslStates.success), 'no proof at all'],
  ['a token by another mechanism', methods({ ...byToken, mechanism: 'PLAIN' }), 'TOKEN'],
])('one that asks for %s is not believed', (_, answer, words) => {
  expect(() => negotiation().receive(answer)).toThrow(
    expect.objectContaining({
      code: 'permission-denied',
      message: expect.stringContaining(words) as string,
    }) as Error,
  );
});

test('one that asks for a name alone is believed where the configuration says so', () => {
  expect(negotiation(true).receive(methods(byName))).toMatchObject({
    isOver: true,
    isProven: false,
    reply: { state: saslStates.initiate },
  });
  expect(negotiation(true).receive(message(saslStates.success))).toMatchObject({
    isOver: true,
    isProven: false,
  });
  expect(() => negotiation(true).receive(methods(byKerberos))).toThrow('KERBEROS');
});

test.each([
  [
    'a proof that is none',
    message(saslStates.success, { token: bytes(`rspauth=${'0'.repeat(32)}`) }),
  ],
  ['no proof', message(saslStates.success)],
  ['methods once more', methods(byToken)],
  ['a wrapped message', message(saslStates.wrap, { token: bytes('x') })],
])('one that says success with %s is refused', (_, answer) => {
  const asked = negotiation();
  asked.receive(methods(byToken));
  expect(() => asked.receive(answer)).toThrow(
    expect.objectContaining({
      code: expect.stringMatching(/permission-denied|unsupported/) as string,
    }) as Error,
  );
});
