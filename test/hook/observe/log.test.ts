// What is said: one line of JSON each, without secrets, and with priorities where the journal reads them.
import { fstatSync } from 'node:fs';
import fc from 'fast-check';
import { isJournal, openLog } from '../../../src/hook/observe/log.js';
import { redact } from '../../../src/hook/observe/redact.js';

const secret = 'S3cr3t-t0ken';
const environment = { PARS_WEBHDFS_TOKEN: secret };

function linesOf(isJournal: boolean): { lines: string[]; log: ReturnType<typeof openLog> } {
  const lines: string[] = [];
  return { lines, log: openLog('info', { write: (line) => lines.push(line), isJournal }) };
}

test('a line is JSON with level, time, message and facts', () => {
  const { lines, log } = linesOf(false);
  log.warn('a snapshot was dropped', { vm: 'web' });
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0])).toMatchObject({
    level: 'warn',
    msg: 'a snapshot was dropped',
    vm: 'web',
    // In ISO form, but not within jest, whose functions pino does not take for functions.
    time: expect.anything() as unknown,
  });
});

test('what is below the level is not said', () => {
  const { lines, log } = linesOf(false);
  log.debug('nobody wants to know');
  expect(lines).toEqual([]);
});

test('for the journal each line begins with its priority', () => {
  const { lines, log } = linesOf(true);
  log.error('1');
  log.warn('2');
  log.info('3');
  expect(lines.map((line) => line.slice(0, 4))).toEqual(['<3>{', '<4>{', '<6>{']);
});

test('the journal is told by the stream it names, not by the variable alone', () => {
  const { dev, ino } = fstatSync(2);
  expect(isJournal(`${dev}:${ino}`)).toBe(true);
  expect(isJournal(`${dev}:${ino + 1}`)).toBe(false);
  expect(isJournal(undefined)).toBe(false);
});

test('secrets stand in no line, neither in the message nor in a fact', () => {
  const { lines, log } = linesOf(false);
  log.error(
    `cannot reach webhdfs://alice:${secret}@nn:9870/pars?user.name=bob&delegation=${secret}`,
    {
      url: `https://x/y?access_token=${secret}`,
    },
  );
  expect(lines.join('')).not.toContain(secret);
  expect(lines.join('')).toContain('webhdfs://***@nn:9870/pars?user.name=bob&delegation=***');
});

test('the token of the environment is taken out wherever it stands', () => {
  expect(redact(`header ${secret}, again ${secret}`, environment)).toBe('header ***, again ***');
});

test('no user or password of a URL stays, whatever stands around it', () => {
  const word = fc.stringMatching(/^[A-Za-z0-9._~!$&()*+,;=-]{1,12}$/);
  fc.assert(
    fc.property(fc.string(), word, word, (before, user, password) => {
      const text = redact(`${before} webhdfs://${user}:Q${password}@host/path end`, {});
      expect(text).toContain(' webhdfs://***@host/path end');
    }),
  );
});

test('text without secrets stays as it is', () => {
  const text = 'stored web@2026 in file:///srv/pars?disks=/a,/b: 3 of 4 (mail a@b.c)';
  expect(redact(text, {})).toBe(text);
});
