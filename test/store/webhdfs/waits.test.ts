// Servers that never quite stop answering: whatever they dribble, each wait has its end.

import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { ParsError } from '../../../introspect/pars-error.js';
import { createRetry, retried } from '../../../src/store/hadoop/retry.js';
import { limitBandwidth } from '../../../src/store/limit-bandwidth.js';
import { copies } from '../../../src/store/redundancy.js';
import type { Store } from '../../../src/store/store.js';
import { openWebHdfsStore, type WebHdfsOptions } from '../../../src/store/webhdfs/webhdfs-store.js';
import { errorOf } from '../error-of.js';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) {
    await close();
  }
});

/** `talk` is called with the head of each request, and the connection to answer on. */
async function startServer(
  talk: (head: string, socket: Socket, hostPort: string) => void,
): Promise<string> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      const isHead = /^(GET|PUT|DELETE) /.test(text);
      if (!isHead || end < 0) {
        return;
      }
      const head = text.slice(0, end);
      text = '';
      talk(head, socket, hostPort);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const hostPort = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  closing.push(
    () =>
      new Promise((resolve) => {
        for (const socket of sockets) {
          socket.destroy();
        }
        server.close(() => {
          resolve();
        });
      }),
  );
  return hostPort;
}

function dribble(socket: Socket, text: string, everyMs = 20): void {
  const timer = setInterval(() => socket.write(text), everyMs);
  socket.once('close', () => {
    clearInterval(timer);
  });
}

const answer = (status: string, json: unknown): string => {
  const body = JSON.stringify(json);
  return `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
};
const nothing = answer('404 Not Found', {
  RemoteException: { exception: 'FileNotFoundException', message: 'File does not exist' },
});

async function open(hostPort: string, options: WebHdfsOptions = {}): Promise<Store> {
  const store = await openWebHdfsStore(`webhdfs://${hostPort}/r`, {
    userName: 'tester',
    retry: { attemptCount: 1, firstDelayMs: 1, maxDelayMs: 1 },
    answerTimeoutMs: 300,
    continueTimeoutMs: 300,
    ...options,
  });
  closing.push(() => store.close());
  return store;
}

describe('an answer', () => {
  const cases: readonly (readonly [string, (socket: Socket) => void])[] = [
    [
      'whose head comes byte by byte',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\nX-Slow: ');
        dribble(socket, 'x');
      },
    ],
    [
      'whose body comes byte by byte',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{');
        dribble(socket, ' ');
      },
    ],
    [
      'that is 100 Continue for ever, slowly',
      (socket) => {
        dribble(socket, 'HTTP/1.1 100 Continue\r\n\r\n', 100);
      },
    ],
    [
      'that is 100 Continue for ever, quickly',
      (socket) => {
        dribble(socket, 'HTTP/1.1 100 Continue\r\n\r\n', 1);
      },
    ],
    [
      'with headers without an end',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\n');
        dribble(socket, `X-More: ${'x'.repeat(1000)}\r\n`, 1);
      },
    ],
  ];
  it.each(cases)('%s is given up', async (_, talk) => {
    const hostPort = await startServer((head, socket) => {
      if (head.includes('op=GETFILESTATUS')) {
        socket.write(nothing);
      } else {
        talk(socket);
      }
    });
    const store = await open(hostPort);
    const startMs = performance.now();
    expect((await errorOf(store.list(''))).code).toBe('unavailable');
    expect(performance.now() - startMs).toBeLessThan(3000);
  });

  it('that redirects again and again is not followed', async () => {
    let count = 0;
    const hostPort = await startServer((head, socket, self) => {
      count++;
      if (head.includes('op=GETFILESTATUS')) {
        socket.write(nothing);
      } else if (head.includes('op=MKDIRS')) {
        socket.write(answer('200 OK', { boolean: true }));
      } else {
        const location = `http://${self}/webhdfs/v1/r/a?op=CREATE`;
        socket.write(`HTTP/1.1 307 Go\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`);
      }
    });
    const store = await open(hostPort);
    const write = store.write('a', () => [Buffer.from('x')], {
      redundancy: copies(1),
      blockSizeBytes: 512,
    });
    expect(['usage', 'unavailable']).toContain((await errorOf(write)).code);
    expect(count).toBeLessThan(12);
  });
});

describe('an upload', () => {
  const options = { redundancy: copies(1), blockSizeBytes: 64 * 2 ** 20 };

  /** Plays the NameNode; `takeContent` plays the DataNode from the head of the CREATE on. */
  const startCluster = (takeContent: (socket: Socket) => void): Promise<string> =>
    startServer((head, socket, self) => {
      if (head.includes('datanode=yes')) {
        takeContent(socket);
      } else if (head.includes('op=CREATE')) {
        const location = `http://${self}/webhdfs/v1/r/a?op=CREATE&datanode=yes`;
        socket.write(answer('200 OK', { Location: location }));
      } else if (/op=(MKDIRS|DELETE)/.test(head)) {
        socket.write(answer('200 OK', { boolean: true }));
      } else {
        socket.write(nothing);
      }
    });

  it('to a DataNode that hangs makes no content, and ends after the bound', async () => {
    let chunkCount = 0;
    const store = await open(await startCluster(() => undefined));
    const startMs = performance.now();
    const write = store.write(
      'a',
      () => {
        chunkCount++;
        return [Buffer.alloc(10)];
      },
      options,
    );
    const error = await errorOf(write);
    expect(error.code).toBe('unavailable');
    expect(error.message).toContain('did not say within 300 ms that it takes the content');
    expect(chunkCount).toBe(0);
    expect(performance.now() - startMs).toBeLessThan(3000);
  });

  it('to a DataNode that takes a little now and then ends for its rate', async () => {
    const store = await open(
      await startCluster((socket) => {
        socket.write('HTTP/1.1 100 Continue\r\n\r\n');
        socket.pause();
        socket.removeAllListeners('data');
        const timer = setInterval(() => {
          socket.read(1);
        }, 20);
        socket.once('close', () => {
          clearInterval(timer);
        });
      }),
      { writeIdleTimeoutMs: 600 },
    );
    const chunks = function* () {
      for (let count = 0; count < 60; count++) {
        yield Buffer.alloc(2 ** 20);
      }
    };
    const startMs = performance.now();
    const error = await errorOf(store.write('a', chunks, options));
    expect(error.code).toBe('unavailable');
    expect(performance.now() - startMs).toBeLessThan(5000);
  });

  it('that is slow by its own limit is not held against the DataNode', async () => {
    let receivedBytes = 0;
    const store = await open(
      await startCluster((socket) => {
        socket.write('HTTP/1.1 100 Continue\r\n\r\n');
        socket.on('data', (bytes: Buffer) => {
          receivedBytes += bytes.length;
        });
      }),
      { writeIdleTimeoutMs: 250 },
    );
    // 2 KiB a second is far below the least rate; a silence of the peer is what ends it, after all was sent.
    const limited = limitBandwidth(store, 2048);
    const error = await errorOf(limited.write('a', () => [Buffer.alloc(3000)], options));
    expect(error.code).toBe('unavailable');
    expect(receivedBytes).toBeGreaterThan(3000);
  });
});

it('retries begin no later than their total time', async () => {
  let count = 0;
  const policy = { attemptCount: 1000, firstDelayMs: 5, maxDelayMs: 5, maxTotalMs: 100 };
  const attempt = (): Promise<never> => {
    count++;
    return Promise.reject(new ParsError('unavailable', 'not now'));
  };
  const startMs = performance.now();
  await expect(retried(createRetry(policy), undefined, attempt)).rejects.toThrow('not now');
  expect(performance.now() - startMs).toBeLessThan(2000);
  expect(count).toBeLessThan(60);
});
