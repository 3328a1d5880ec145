import { join } from 'node:path';
import { QmpClient, type QmpEvent } from '../../../src/vm/qmp/qmp-client.js';
import { QmpCommandError } from '../../../src/vm/qmp/qmp-command-error.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../../e2e/temporary-folder.js';
import { startBareQemu } from '../../guest/bare-qemu.js';
import { FakeQemu, type FakeQemuOptions } from './fake-qemu.js';
import { hostileLines } from './hostile-lines.js';

let folder: TemporaryFolder;
let fake: FakeQemu | undefined;
let client: QmpClient | undefined;

beforeEach(async () => {
  folder = await makeTemporaryFolder();
});
afterEach(async () => {
  client?.close();
  await fake?.close();
  await folder.remove();
});

const socketPath = (): string => join(folder.path, 'qmp.sock');

async function connectTo(options: FakeQemuOptions): Promise<QmpClient> {
  fake = await FakeQemu.listen(socketPath(), options);
  client = await QmpClient.connect(socketPath());
  return client;
}

const event = (name: string): string =>
  JSON.stringify({ event: name, data: { a: 1 }, timestamp: { seconds: 7, microseconds: 5 } });

test('an answer is what QEMU returns', async () => {
  const qmp = await connectTo({ answers: { 'query-status': () => ({ return: { status: 'x' } }) } });
  expect(await qmp.execute('query-status')).toEqual({ status: 'x' });
});

test('a monitor that spreads its messages over lines, as -qmp-pretty does, is understood', async () => {
  const qemu = await startBareQemu(socketPath(), [
    ...['-m', '16M', '-S', '-qmp-pretty', `unix:${socketPath()},server=on,wait=off`],
  ]);
  try {
    client = await QmpClient.connect(socketPath());
    const events: string[] = [];
    client.onEvent(({ name }) => events.push(name));
    expect(await client.execute('query-status')).toMatchObject({ status: 'prelaunch' });
    await client.execute('cont');
    await client.execute('stop');
    expect(events).toEqual(expect.arrayContaining(['RESUME', 'STOP']));
    await expect(client.execute('no-such')).rejects.toMatchObject({ qmpClass: 'CommandNotFound' });
  } finally {
    await qemu.close();
  }
});

test('a message that is spread over lines without an end is refused at its limit', async () => {
  const connecting = connectTo({ greeting: `{\n${`${'x'.repeat(1023)}\n`.repeat(5000)}` });
  await expect(connecting).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('a message has more than') as string,
  });
});

test('commands sent together are answered each, also when one is refused', async () => {
  const qmp = await connectTo({
    answers: { stop: () => ({ error: { class: 'GenericError', desc: 'not now' } }) },
  });
  const [first, second] = qmp.send([{ execute: 'stop' }, { execute: 'cont' }]);
  const refusal = await first.catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(QmpCommandError);
  expect(refusal).toMatchObject({
    command: 'stop',
    qmpClass: 'GenericError',
    description: 'not now',
  });
  expect((await second).value).toEqual({});
});

test('by the numbers of their lines it is told what came before what', async () => {
  const qmp = await connectTo({ before: { cont: [event('STOP'), event('RESUME')] } });
  const events: QmpEvent[] = [];
  qmp.onEvent((heard) => events.push(heard));
  const [stop, cont] = await Promise.all(qmp.send([{ execute: 'stop' }, { execute: 'cont' }]));
  expect(events.map(({ name }) => name)).toEqual(['STOP', 'RESUME']);
  expect(events[0]).toMatchObject({ data: { a: 1 }, atMicroseconds: 7_000_005 });
  const lines = [stop.line, events[0].line, events[1].line, cont.line];
  expect(lines).toEqual(lines.toSorted((a, b) => a - b));
  expect(new Set(lines).size).toBe(4);
});

test('when QEMU goes, what waits fails, and so does what comes after', async () => {
  const qmp = await connectTo({ leavesAt: 'migrate' });
  const lost: string[] = [];
  qmp.onLost(({ code }) => lost.push(code));
  await expect(qmp.execute('migrate')).rejects.toMatchObject({ code: 'unavailable' });
  await expect(qmp.execute('query-status')).rejects.toMatchObject({ code: 'unavailable' });
  expect(lost).toEqual(['unavailable']);
});

test('who listens for the loss after it is told as well', async () => {
  const qmp = await connectTo({ leavesAt: 'migrate' });
  await qmp.execute('migrate').catch(() => undefined);
  const lost: string[] = [];
  qmp.onLost(({ message }) => lost.push(message));
  expect(lost).toHaveLength(1);
});

test('the loss is not told after close', async () => {
  const qmp = await connectTo({});
  let isTold = false;
  qmp.onLost(() => {
    isTold = true;
  });
  qmp.close();
  await fake?.close();
  expect(isTold).toBe(false);
});

test('what is no QMP is refused, with what was said', async () => {
  fake = await FakeQemu.listen(socketPath(), { greeting: 'SSH-2.0-OpenSSH\r\n' });
  await expect(QmpClient.connect(socketPath())).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('SSH-2.0') as string,
  });
});

test('a monitor that has another client does not greet, and that is said', async () => {
  fake = await FakeQemu.listen(socketPath(), { greeting: '' });
  await expect(QmpClient.connect(socketPath())).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('serves one client at a time') as string,
  });
});

test('a line without end is not gathered for ever', async () => {
  fake = await FakeQemu.listen(socketPath(), { greeting: 'x'.repeat(2 ** 24 + 1) });
  await expect(QmpClient.connect(socketPath())).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('a message has more than') as string,
  });
});

test('where no socket is, what to start the VM with is said', async () => {
  await expect(QmpClient.connect(socketPath())).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('-qmp unix:PATH') as string,
  });
});

describe.each(Object.entries(hostileLines))('%s', (_, line) => {
  const noQmp = { name: 'ParsError', code: 'unavailable' };

  test('is no greeting', async () => {
    fake = await FakeQemu.listen(socketPath(), { greeting: `${line}\n` });
    await expect(QmpClient.connect(socketPath())).rejects.toMatchObject(noQmp);
  });

  test('ends the connection, with an error of the closed list to all that waits', async () => {
    // The handshake has the number 1, so the lines that have it are for nobody.
    const qmp = await connectTo({ before: { 'query-status': [line] } });
    const lost: string[] = [];
    qmp.onLost(({ code }) => lost.push(code));
    const events: QmpEvent[] = [];
    qmp.onEvent((heard) => events.push(heard));
    const answers = qmp.send([{ execute: 'query-status' }, { execute: 'query-block' }]);
    for (const answer of answers) {
      await expect(answer).rejects.toMatchObject(noQmp);
    }
    await expect(qmp.execute('cont')).rejects.toMatchObject(noQmp);
    expect(lost).toEqual(['unavailable']);
    expect(events).toEqual([]);
  });
});

test('an event of a host without a clock is of now', async () => {
  const event = JSON.stringify({ event: 'STOP', timestamp: { seconds: -1, microseconds: -1 } });
  const qmp = await connectTo({ before: { stop: [event] } });
  const times: number[] = [];
  qmp.onEvent(({ atMicroseconds }) => times.push(atMicroseconds));
  await qmp.execute('stop');
  expect(Math.abs((times[0] ?? 0) / 1000 - Date.now())).toBeLessThan(60_000);
});

test('who talks without end and answers nothing is not listened to for ever', async () => {
  const long = JSON.stringify({ event: 'TALK', data: { text: 'x'.repeat(2 ** 20) } });
  const qmp = await connectTo({ before: { 'query-status': new Array<string>(17).fill(long) } });
  await expect(qmp.execute('query-status')).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('without an answer') as string,
  });
});

test("a refusal's sentence is cut where nobody reads on", async () => {
  const desc = 'x'.repeat(2 ** 20);
  const qmp = await connectTo({
    answers: { stop: () => ({ error: { class: 'GenericError', desc } }) },
  });
  const error = await qmp.execute('stop').catch((reason: unknown) => reason as QmpCommandError);
  expect((error as QmpCommandError).description).toHaveLength(4096);
});
