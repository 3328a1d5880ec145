// Against a fake server, since a real cluster fails in these ways too rarely.

import { copies } from '../../../src/store/redundancy.js';
import type { Store } from '../../../src/store/store.js';
import { UnreachableCopies } from '../../../src/store/unreachable.js';
import { FileChecksum } from '../../../src/store/webhdfs/file-checksum.js';
import { openWebHdfsStore, type WebHdfsOptions } from '../../../src/store/webhdfs/webhdfs-store.js';
import { errorOf } from '../error-of.js';
import {
  type FakeAnswer,
  type FakeRequest,
  type FakeWebHdfs,
  redirectTo,
  remoteException,
  startFakeWebHdfs,
} from './fake-webhdfs.js';

const blockSizeBytes = 1024 * 1024;
const writeOptions = { redundancy: copies(1), blockSizeBytes };
const quickRetry = { attemptCount: 4, firstDelayMs: 1, maxDelayMs: 5 };

const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of closing.splice(0).reverse()) {
    await each.close();
  }
});

async function fakeServer(
  answer: (request: FakeRequest, fake: FakeWebHdfs) => FakeAnswer,
): Promise<FakeWebHdfs> {
  const fake = await startFakeWebHdfs(answer);
  closing.push(fake);
  return fake;
}

async function open(
  fakes: readonly FakeWebHdfs[],
  options: WebHdfsOptions = {},
  query = '',
): Promise<Store> {
  const hosts = fakes.map((fake) => fake.hostPort).join(',');
  const store = await openWebHdfsStore(`webhdfs://${hosts}/r${query}`, {
    userName: 'tester',
    retry: quickRetry,
    ...options,
  });
  closing.push(store);
  return store;
}

interface Inode {
  readonly fileId: number;
  readonly bytes: Buffer;
}

/** Just enough of a file system: files by path, one block each, the answers of HDFS. */
class FakeFiles {
  readonly files = new Map<string, Inode>();
  #fileIds = 0;

  answer({ op, url, isDataNode, body }: FakeRequest, fake: FakeWebHdfs): FakeAnswer {
    const path = decodeURIComponent(url.pathname.replace('/webhdfs/v1', ''));
    const twoSteps = ['CREATE', 'OPEN', 'GETFILECHECKSUM'].includes(op);
    if (twoSteps && !isDataNode) {
      return redirectTo(fake.hostPort, url);
    }
    const file = this.files.get(path);
    switch (op) {
      case 'CREATE':
        this.files.set(path, { fileId: ++this.#fileIds, bytes: body });
        return { status: 201, text: '' };
      case 'MKDIRS':
        return { json: { boolean: true } };
      case 'DELETE':
        return { json: { boolean: this.files.delete(path) } };
      case 'RENAME':
        return this.#rename(path, url.searchParams.get('destination') ?? '');
      default:
        return file ? this.#answerAbout(op, file, url) : missing(path);
    }
  }

  #rename(from: string, to: string): FakeAnswer {
    const file = this.files.get(from);
    if (!file) {
      return missing(from);
    }
    if (this.files.has(to)) {
      return remoteException('FileAlreadyExistsException', to);
    }
    this.files.delete(from);
    this.files.set(to, file);
    return { text: '' };
  }

  #answerAbout(op: string, { bytes, fileId }: Inode, url: URL): FakeAnswer {
    const type = 'FILE';
    if (op === 'GETFILESTATUS') {
      const times = { modificationTime: 1, pathSuffix: '' };
      return { json: { FileStatus: { type, length: bytes.length, fileId, ...times } } };
    }
    if (op === 'GETFILEBLOCKLOCATIONS') {
      const block = { offset: 0, length: bytes.length, corrupt: false, names: ['127.0.0.1:1'] };
      return { json: { BlockLocations: { BlockLocation: bytes.length === 0 ? [] : [block] } } };
    }
    if (op === 'GETFILECHECKSUM') {
      const checksum = new FileChecksum(blockSizeBytes);
      checksum.update(bytes);
      const algorithm = 'MD5-of-0MD5-of-512CRC32C';
      return {
        json: { FileChecksum: { algorithm, bytes: `${'0'.repeat(24)}${checksum.digest()}` } },
      };
    }
    const offset = Number(url.searchParams.get('offset'));
    return { text: bytes.subarray(offset, offset + Number(url.searchParams.get('length'))) };
  }
}

function missing(path: string): FakeAnswer {
  return remoteException('FileNotFoundException', `File does not exist: ${path}`, 404);
}

/** Gives `first` for the first `count` requests that `isMeant`, then what the files answer. */
function disturbed(
  files: FakeFiles,
  isMeant: (request: FakeRequest) => boolean,
  first: (request: FakeRequest, fake: FakeWebHdfs) => FakeAnswer,
  count = 1,
): (request: FakeRequest, fake: FakeWebHdfs) => FakeAnswer {
  let left = count;
  return (request, fake) => {
    if (left === 0 || !isMeant(request)) {
      return files.answer(request, fake);
    }
    left--;
    return first(request, fake);
  };
}

const content = Buffer.from('the bytes of a page');
const write = (store: Store, name = 'a') => store.write(name, () => [content], writeOptions);

describe('a server that fails for a while', () => {
  it.each<readonly [string, FakeAnswer]>([
    ['an HTML page of a proxy', { status: 502, text: '<html>Bad Gateway</html>' }],
    ['an error page without an end', { status: 503, text: 'x'.repeat(1_000_000) }],
    ['too many requests', { status: 429, text: '' }],
    ['a connection that breaks', 'break the connection'],
    ['safe mode', remoteException('SafeModeException', 'Name node is in safe mode.')],
  ])('is asked again after %s', async (_, answer) => {
    const files = new FakeFiles();
    const isMeant = (request: FakeRequest) => request.op !== 'GETFILESTATUS';
    const fake = await fakeServer(disturbed(files, isMeant, () => answer, 2));
    const store = await open([fake]);
    expect(await write(store)).toBe(content.length);
    expect([...files.files.keys()]).toEqual(['/r/a']);
  });

  it('is given up after a bound, with the last thing it said', async () => {
    const isRead = (request: FakeRequest) => request.op === 'LISTSTATUS_BATCH';
    const page = () => ({ status: 502, text: '<html>' });
    const fake = await fakeServer(disturbed(new FakeFiles(), isRead, page, 100));
    const store = await open([fake]);
    const error = await errorOf(store.list(''));
    expect(error.code).toBe('unavailable');
    expect(error.message).toContain(`LISTSTATUS_BATCH /r at ${fake.hostPort}: answered HTTP 502`);
    expect(fake.requests.filter(isRead)).toHaveLength(quickRetry.attemptCount);
  });

  it('that is silent is given up after the timeout', async () => {
    const isRead = (request: FakeRequest) => request.op === 'LISTSTATUS_BATCH';
    const fake = await fakeServer(disturbed(new FakeFiles(), isRead, () => 'stay silent', 100));
    const store = await open([fake], {
      idleTimeoutMs: 50,
      retry: { ...quickRetry, attemptCount: 2 },
    });
    const error = await errorOf(store.list(''));
    expect(error.code).toBe('unavailable');
    expect(error.message).toContain('nothing was received or accepted for 50 ms');
  });
});

describe('an answer that is not as expected', () => {
  it.each<readonly [string, FakeAnswer]>([
    ['HTML', { text: '<html>please log in</html>' }],
    ['other JSON', { json: { hello: 'world' } }],
    ['nothing', { text: '' }],
    ['JSON of another version', { json: { DirectoryListing: { partialListing: 1 } } }],
  ])('is unsupported when it is %s', async (_, answer) => {
    const fake = await fakeServer(({ op }) => (op === 'LISTSTATUS_BATCH' ? answer : missing('/r')));
    const error = await errorOf((await open([fake])).list(''));
    expect(error.code).toBe('unsupported');
    expect(error.message).toContain(fake.hostPort);
  });

  it('is refused before memory is taken when it says it is huge', async () => {
    const fake = await fakeServer(({ op }) =>
      op === 'LISTSTATUS_BATCH' ? { text: Buffer.alloc(33 * 1024 * 1024, 'x') } : missing('/r'),
    );
    const error = await errorOf((await open([fake])).list(''));
    expect(error.code).toBe('unsupported');
    expect(error.message).toContain('is over');
  });

  it('to opening the store, of a server that is no WebHDFS, is usage', async () => {
    const fake = await fakeServer(() => ({ status: 404, text: 'It looks like an IPC port' }));
    const error = await errorOf(open([fake]));
    expect(error.code).toBe('usage');
    expect(error.message).toContain('check that the port');
  });
});

describe('two NameNodes', () => {
  const standby = () =>
    fakeServer(() => remoteException('StandbyException', 'Operation category READ ...'));

  it('are tried until one is active, which is then asked first', async () => {
    const files = new FakeFiles();
    const first = await standby();
    const second = await fakeServer((request, fake) => files.answer(request, fake));
    const store = await open([first, second]);
    await write(store);
    expect(Buffer.from(await store.read('a', 0, content.length))).toEqual(content);
    expect(first.requests).toHaveLength(1);
  });

  it('may change roles in between', async () => {
    const files = new FakeFiles();
    let activeIndex = 0;
    const nameNode = (index: number) =>
      fakeServer((request, fake) =>
        index === activeIndex || request.isDataNode
          ? files.answer(request, fake)
          : remoteException('StandbyException', 'state standby'),
      );
    const fakes = [await nameNode(0), await nameNode(1)];
    const store = await open(fakes);
    await write(store, 'a');
    activeIndex = 1;
    await write(store, 'b');
    activeIndex = 0;
    expect((await store.stat('b'))?.sizeBytes).toBe(content.length);
  });

  it('may have one that is down', async () => {
    const files = new FakeFiles();
    const down = await startFakeWebHdfs(() => 'stay silent');
    await down.close();
    const up = await fakeServer((request, fake) => files.answer(request, fake));
    expect(await write(await open([down, up]))).toBe(content.length);
  });

  it('are named, each with what it said, when none is active', async () => {
    const fakes = [await standby(), await standby()];
    const error = await errorOf(open(fakes));
    expect(error.code).toBe('unavailable');
    for (const { hostPort } of fakes) {
      expect(error.message).toContain(hostPort);
    }
  });
});

describe('a lost answer', () => {
  it('to a CREATE that was done leaves one right file', async () => {
    const files = new FakeFiles();
    const isPut = ({ op, isDataNode }: FakeRequest) => op === 'CREATE' && isDataNode;
    const fake = await fakeServer(
      disturbed(files, isPut, (request, self) => {
        files.answer(request, self);
        return 'break the connection';
      }),
    );
    expect(await write(await open([fake]))).toBe(content.length);
    expect([...files.files.keys()]).toEqual(['/r/a']);
  });

  it('to a RENAME that was done is no already-exists and no not-found', async () => {
    const files = new FakeFiles();
    const isRename = ({ op }: FakeRequest) => op === 'RENAME';
    const fake = await fakeServer(
      disturbed(
        files,
        isRename,
        (request, self) => {
          files.answer(request, self);
          return 'break the connection';
        },
        2,
      ),
    );
    const store = await open([fake]);
    expect(await write(store)).toBe(content.length);
    await store.rename('a', 'b');
    expect([...files.files.keys()]).toEqual(['/r/b']);
  });

  it('does not hide that somebody else took the name', async () => {
    const files = new FakeFiles();
    const isRename = ({ op }: FakeRequest) => op === 'RENAME';
    const fake = await fakeServer(
      disturbed(files, isRename, () => {
        files.files.set('/r/a', { fileId: 999, bytes: Buffer.from('theirs') });
        return 'break the connection';
      }),
    );
    expect((await errorOf(write(await open([fake])))).code).toBe('already-exists');
    expect(files.files.get('/r/a')?.bytes.toString()).toBe('theirs');
    expect(files.files.size).toBe(1);
  });
});

describe('bytes that are not the right ones', () => {
  it('in HDFS after a write are sent again, and nothing stays of the first attempt', async () => {
    const files = new FakeFiles();
    const isPut = ({ op, isDataNode }: FakeRequest) => op === 'CREATE' && isDataNode;
    const fake = await fakeServer(
      disturbed(files, isPut, (request, self) => {
        const body = Buffer.from(request.body);
        body[3] ^= 1;
        return files.answer({ ...request, body }, self);
      }),
    );
    await write(await open([fake]));
    expect(files.files.get('/r/a')?.bytes).toEqual(content);
    expect(files.files.size).toBe(1);
  });

  it('every time are corrupt, and nothing is left', async () => {
    const files = new FakeFiles();
    const isPut = ({ op, isDataNode }: FakeRequest) => op === 'CREATE' && isDataNode;
    const shortened = (request: FakeRequest, self: FakeWebHdfs) =>
      files.answer({ ...request, body: request.body.subarray(1) }, self);
    const fake = await fakeServer(disturbed(files, isPut, shortened, 100));
    expect((await errorOf(write(await open([fake])))).code).toBe('corrupt');
    expect(files.files.size).toBe(0);
  });

  it('are told by reading back when the cluster has another checksum algorithm', async () => {
    const files = new FakeFiles();
    const isChecksum = ({ op, isDataNode }: FakeRequest) => op === 'GETFILECHECKSUM' && isDataNode;
    const fake = await fakeServer(
      disturbed(files, isChecksum, () => ({
        json: { FileChecksum: { algorithm: 'COMPOSITE-CRC32C', bytes: '6b9b3c2e' } },
      })),
    );
    await write(await open([fake]));
    expect(fake.requests.some(({ op, isDataNode }) => op === 'OPEN' && isDataNode)).toBe(true);
  });
});

describe('the body of a read', () => {
  const truncated: FakeAnswer = { text: content.subarray(0, 5) };
  const isOpen = ({ op, isDataNode }: FakeRequest) => op === 'OPEN' && isDataNode;

  it('that ends early is asked for again', async () => {
    const files = new FakeFiles();
    const fake = await fakeServer(disturbed(files, isOpen, () => truncated));
    const store = await open([fake]);
    await write(store);
    expect(Buffer.from(await store.read('a', 0, content.length))).toEqual(content);
  });

  it('that always ends early is out of reach as long as HDFS lists copies', async () => {
    const fake = await fakeServer(disturbed(new FakeFiles(), isOpen, () => truncated, 100));
    const store = await open([fake]);
    await write(store);
    const error = await errorOf(store.read('a', 0, content.length));
    expect(error).toBeInstanceOf(UnreachableCopies);
    expect(error.message).toContain('it ended after 5');
  });

  it('that a DataNode refuses for want of the block is lost only if every holder says so', async () => {
    const gone = remoteException('BlockMissingException', 'Could not obtain block: BP-1:blk_1');
    const fake = await fakeServer(disturbed(new FakeFiles(), isOpen, () => gone, 100));
    const store = await open([fake]);
    await write(store);
    const error = await errorOf(store.read('a', 0, content.length));
    expect(error.code).toBe('data-lost');
    expect(error.message).toContain('Could not obtain block');
  });

  it('that is longer than asked for is corrupt', async () => {
    const longer = (): FakeAnswer => ({ text: Buffer.concat([content, content]) });
    const fake = await fakeServer(disturbed(new FakeFiles(), isOpen, longer, 100));
    const store = await open([fake]);
    await write(store);
    expect((await errorOf(store.read('a', 0, content.length))).code).toBe('corrupt');
  });
});

describe('a gateway', () => {
  it('is asked below its path, and gets content as octets, which HttpFS demands', async () => {
    const files = new FakeFiles();
    const fake = await fakeServer((request, own) => {
      const path = request.url.pathname.replace('/gateway/default/', '/');
      if (path === request.url.pathname) {
        return remoteException('FileNotFoundException', 'no route', 404);
      }
      const url = new URL(`${path}${request.url.search}`, request.url);
      const answer = files.answer({ ...request, url }, own);
      // It sends to itself for data.
      return request.isDataNode || typeof answer === 'string' || !('json' in answer)
        ? answer
        : throughGateway(answer);
    });
    const store = await openWebHdfsStore(
      `webhdfs://${fake.hostPort}/gateway/default/webhdfs/v1/r`,
      {
        userName: 'tester',
        retry: quickRetry,
      },
    );
    closing.push(store);
    await write(store);
    expect(Buffer.from(await store.read('a', 0, content.length))).toEqual(content);
    expect([...files.files.keys()]).toEqual(['/r/a']);
    const sent = fake.requests.find(({ op, isDataNode }) => op === 'CREATE' && isDataNode);
    expect(sent?.headers['content-type']).toBe('application/octet-stream');
  });

  function throughGateway(answer: {
    readonly status?: number;
    readonly json: unknown;
  }): FakeAnswer {
    const text = JSON.stringify(answer.json).replace('/webhdfs/v1', '/gateway/default/webhdfs/v1');
    return { ...answer, json: JSON.parse(text) as unknown };
  }
});

describe('who asks', () => {
  it('is the user of the option, else of the URL', async () => {
    const fake = await fakeServer(() => missing('/r'));
    await open([fake], {}, '?user.name=alice');
    const store = await openWebHdfsStore(`webhdfs://${fake.hostPort}/r?user.name=alice`);
    closing.push(store);
    expect(fake.requests.map(({ url }) => url.searchParams.get('user.name'))).toEqual([
      'tester',
      'alice',
    ]);
  });

  it('is the holder of a delegation token, which no message shows', async () => {
    const delegationToken = 'HAAEaHVudGVyMg';
    const fake = await fakeServer(({ op, url }) => {
      if (op === 'GETFILESTATUS') {
        return missing('/r');
      }
      return { status: op === 'MKDIRS' ? 502 : 200, text: url.href };
    });
    const store = await open([fake], { delegationToken });
    expect(fake.requests[0]?.url.searchParams.get('delegation')).toBe(delegationToken);
    expect(fake.requests[0]?.url.searchParams.has('user.name')).toBe(false);
    for (const act of [() => write(store), () => store.list('')]) {
      const error = await errorOf(act());
      expect(error.message + String(error.cause)).not.toContain(delegationToken);
    }
    expect(store.url).not.toContain(delegationToken);
  });

  it('may be told by headers, for NameNodes and DataNodes', async () => {
    const files = new FakeFiles();
    const fake = await fakeServer((request, self) => files.answer(request, self));
    const store = await open([fake], {
      headers: ({ method, path }) => ({ 'x-who': `${method} ${path}` }),
    });
    await write(store);
    expect(fake.requests.every(({ headers }) => headers['x-who'] !== undefined)).toBe(true);
    const put = fake.requests.find(({ op, isDataNode }) => op === 'CREATE' && isDataNode);
    expect(put?.headers['x-who']).toMatch(/^PUT \/webhdfs\/v1\/r\/a/);
  });
});

it('a closed store says cancelled, also to what was under way', async () => {
  const fake = await fakeServer(({ op }) =>
    op === 'GETFILESTATUS' ? missing('/r') : 'stay silent',
  );
  const store = await open([fake]);
  const underWay = errorOf(store.list(''));
  await new Promise((resolve) => setTimeout(resolve, 30));
  await store.close();
  expect((await underWay).code).toBe('cancelled');
  expect((await errorOf(store.stat('a'))).code).toBe('cancelled');
});

it('a gateway that redirects instead of naming the place is understood', async () => {
  const files = new FakeFiles();
  const fake = await fakeServer((request, self) => {
    const answer = files.answer(request, self);
    const isFirstStep = typeof answer === 'object' && 'json' in answer && !request.isDataNode;
    const location = isFirstStep ? (answer.json as { Location?: string }).Location : undefined;
    return location === undefined ? answer : { status: 307, text: '', headers: { location } };
  });
  expect(await write(await open([fake]))).toBe(content.length);
});

it('a name server that does not know the host makes it unavailable', async () => {
  const error = await errorOf(
    openWebHdfsStore('webhdfs://no-such-host.invalid:9870/', { retry: quickRetry }),
  );
  expect(error.code).toBe('unavailable');
  expect(error.message).toContain('no-such-host.invalid:9870');
  expect(error.message).toContain('check host and port');
});
