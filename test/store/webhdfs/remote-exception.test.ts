import type { ErrorCode } from '../../../introspect/pars-error.js';
import { errorOfAnswer } from '../../../src/store/webhdfs/remote-exception.js';

function errorOf(status: number, body: string) {
  return errorOfAnswer(status, body, 'OPEN /a', 'nn:9870');
}

function remote(exception: string, message: string): string {
  return JSON.stringify({
    RemoteException: { exception, javaClassName: `org.apache.${exception}`, message },
  });
}

/** Exception and message as Hadoop 3.4.2 sent them, unless another version is named. */
const exceptions: readonly (readonly [ErrorCode, string, string])[] = [
  ['not-found', 'FileNotFoundException', 'File does not exist: /a'],
  ['not-found', 'ParentNotDirectoryException', '/a/c (is not a directory)'],
  ['not-found', 'AccessControlException', '/a/c (is not a directory)'],
  ['already-exists', 'FileAlreadyExistsException', 'rename destination /a/b already exists'],
  ['already-exists', 'IOException', 'Source /x and destination /y must both be directories'],
  [
    'permission-denied',
    'AccessControlException',
    'Permission denied: user=alice, access=WRITE, inode="/":root:supergroup:drwxr-xr-x',
  ],
  [
    'unavailable',
    'SecurityException',
    'Failed to obtain user group information: org.apache.hadoop.security.token.SecretManager$InvalidToken: StandbyException',
  ],
  [
    'unavailable',
    'StandbyException',
    'Operation category READ is not supported in state standby. Visit https://s.apache.org/sbnn-error',
  ],
  ['unavailable', 'SafeModeException', 'Cannot delete /x/zz. Name node is in safe mode.'],
  ['unavailable', 'RetriableException', 'NameNode still not started'],
  [
    'unavailable',
    'IOException',
    'All datanodes [DatanodeInfoWithStorage[127.0.0.1:27009,DS-1,DISK]] are bad. Aborting...',
  ],
  ['unavailable', 'SomethingNewException', 'nobody has seen this one'],
  [
    'no-space',
    'DSQuotaExceededException',
    'The DiskSpace quota of /q is exceeded: quota = 1 B = 1 B but diskspace consumed = 2 B',
  ],
  [
    'no-space',
    'NSQuotaExceededException',
    'The NameSpace quota (directories and files) of directory /quota is exceeded: quota=2 file count=3',
  ],
  [
    'no-space',
    'IOException',
    'File /a could only be written to 0 of the 1 minReplication nodes. There are 5 datanode(s) running and no node(s) are excluded in this operation.',
  ],
  [
    'unavailable',
    'IOException',
    'File /a could only be written to 0 of the 1 minReplication nodes. There are 0 datanode(s) running and no node(s) are excluded in this operation.',
  ],
  [
    'unavailable',
    'IOException',
    'File /a could only be written to 0 of the 1 minReplication nodes. There are 1 datanode(s) running and 1 node(s) are excluded in this operation.',
  ],
  ['data-lost', 'IOException', 'No active nodes contain this block'],
  [
    'permission-denied',
    'SnapshotAccessControlException',
    'Modification on a read-only snapshot is disallowed',
  ],
  ['usage', 'IOException', 'Requested replication factor of 1000 exceeds maximum of 512 for /a'],
  [
    'usage',
    'IOException',
    'Specified block size 4096 is less than configured minimum value dfs.namenode.fs-limits.min-block-size=1048576',
  ],
];

describe('what HDFS says', () => {
  it.each(exceptions)('is %s for %s: %s', (code, exception, message) => {
    expect(errorOf(403, remote(exception, message))).toMatchObject({ code });
  });

  it('is repeated with the place, without the stack trace', () => {
    const message = 'File does not exist: /a\n\tat org.apache.hadoop.hdfs.Some.java:1\n';
    expect(errorOf(404, remote('FileNotFoundException', message)).message).toBe(
      'OPEN /a at nn:9870: HDFS says FileNotFoundException: File does not exist: /a',
    );
  });
});

it('of a snapshot of HDFS is what to do about it, and no word of permissions', () => {
  const { message } = errorOf(
    403,
    remote('SnapshotAccessControlException', 'Modification on a read-only snapshot is disallowed'),
  );
  expect(message).toContain(
    'HDFS says SnapshotAccessControlException: Modification on a read-only',
  );
  expect(message).toContain('outside of .snapshot');
  expect(message).not.toContain('user.name');
});

describe('an answer that is not from WebHDFS', () => {
  const html = '<html><body>Bad Gateway</body></html>';

  it.each<readonly [number, ErrorCode]>([
    [401, 'permission-denied'],
    [403, 'permission-denied'],
    [404, 'usage'],
    [405, 'usage'],
    [413, 'no-space'],
    [429, 'unavailable'],
    [500, 'unavailable'],
    [502, 'unavailable'],
    [503, 'unavailable'],
    [507, 'no-space'],
  ])('with status %i is %s', (status, code) => {
    for (const body of [html, '', '{"RemoteException": 1}', '[]', '{']) {
      expect(errorOf(status, body)).toMatchObject({ code });
      expect(errorOf(status, body).message).toContain(`nn:9870: answered HTTP ${status}`);
    }
  });

  it('with 404 makes one think of the wrong port', () => {
    expect(errorOf(404, html).message).toContain('9870');
  });
});
