// The only file that translates the exceptions of Hadoop's daemons into the project's error codes, whichever protocol
// brought them. The exception's name decides, for the general IOException its message.

import { type ErrorCode, ParsError } from '../../../introspect/pars-error.js';

/** Exceptions whose name says enough. Java's simple class names. */
const codeOfException: Readonly<Partial<Record<string, ErrorCode>>> = {
  FileNotFoundException: 'not-found',
  ParentNotDirectoryException: 'not-found',
  PathIsNotDirectoryException: 'not-found',
  FileAlreadyExistsException: 'already-exists',
  // Somebody writes it, perhaps this very client.
  AlreadyBeingCreatedException: 'already-exists',
  // DELETE of a folder without what is below it.
  PathIsNotEmptyDirectoryException: 'already-exists',
  AccessControlException: 'permission-denied',
  SnapshotAccessControlException: 'permission-denied',
  AuthorizationException: 'permission-denied',
  AuthenticationException: 'permission-denied',
  InvalidToken: 'permission-denied',
  SecurityException: 'permission-denied',
  // A proof by a token whose secret is another.
  SaslException: 'permission-denied',
  QuotaExceededException: 'no-space',
  NSQuotaExceededException: 'no-space',
  DSQuotaExceededException: 'no-space',
  QuotaByStorageTypeExceededException: 'no-space',
  DiskOutOfSpaceException: 'no-space',
  BlockMissingException: 'data-lost',
  StandbyException: 'unavailable',
  ObserverRetryOnActiveException: 'unavailable',
  RetriableException: 'unavailable',
  SafeModeException: 'unavailable',
  PathComponentTooLongException: 'usage',
  InvalidPathException: 'usage',
  IllegalArgumentException: 'usage',
  HadoopIllegalArgumentException: 'usage',
  UnsupportedOperationException: 'unsupported',
  // A file in an encryption zone, of a client that has no means to encrypt.
  UnknownCryptoProtocolVersionException: 'unsupported',
};

/** What a message says, whatever the exception; the first that fits counts. Wording of Hadoop 2.7 to 3.4. */
const codeOfMessage: readonly (readonly [RegExp, ErrorCode])[] = [
  // The UserProvider of a standby wraps it in a SecurityException.
  [/StandbyException|Operation category \w+ is not supported in state standby/, 'unavailable'],
  [/is in safe mode/i, 'unavailable'],
  // DELETE, where it comes as a general IOException.
  [/is non empty|Directory is not empty/, 'already-exists'],
  // Looking below a file, as a user whom permissions bind.
  [/is not a directory/, 'not-found'],
  [/No active nodes contain this block|Could not obtain block/, 'data-lost'],
  [/No space left on device|Quota .* exceeded|quota .* is exceeded/i, 'no-space'],
  // RENAME of a file onto a folder or the other way round.
  [/must both be directories/, 'already-exists'],
  [/is a directory or file under source/, 'usage'],
  [/Specified block size|[Rr]equested replication factor/, 'usage'],
];

/** "There are 5 datanode(s) running and 2 node(s) are excluded in this operation." of BlockManager.chooseTarget4NewBlock */
const notPlacedPattern =
  /could only be (?:written|replicated) to 0 .*There are (\d+) datanode\(s\) running and (no|\d+) node\(s\) are excluded/s;

/** Where the remedy is another than for the code. */
const hintOfException: Readonly<Partial<Record<string, string>>> = {
  SnapshotAccessControlException:
    "what lies in a snapshot of HDFS can be read only: give the store's URL a path outside of .snapshot",
  UnknownCryptoProtocolVersionException:
    'hdfs:// does not encrypt: write to an encryption zone by webhdfs://',
  SaslException: 'the token is not what the cluster gave out: get a new one',
  InvalidToken: 'the token has ended, was cancelled, or is of another cluster: get a new one',
};

/** What a person does where a name alone proves nothing. */
export const tokenRemedy =
  'after kinit, write a token with `hdfs fetchdt FILE`, and set HADOOP_TOKEN_FILE_LOCATION to the file';

/** What a message says goes before what its exception does. */
const hintOfMessage: readonly (readonly [RegExp, string])[] = [
  [/SIMPLE authentication is not enabled/, tokenRemedy],
];

const hints: Readonly<Partial<Record<ErrorCode, string>>> = {
  'permission-denied': 'check the user (user.name in the URL) and the permissions of the path',
  'no-space': 'free space or raise the quota',
};

/** `exception` is Java's simple class name, `where` the operation, the path, and who answered. */
export function errorOfException(exception: string, message: string, where: string): ParsError {
  const code = codeOf(exception, message);
  // A DataNode appends the stack trace of the NameNode to the message.
  const [firstLine = ''] = message.split('\n', 1);
  const ofMessage = hintOfMessage.find(([pattern]) => pattern.test(message));
  const hint = ofMessage?.[1] ?? hintOfException[exception] ?? hints[code];
  return new ParsError(
    code,
    `${where}: HDFS says ${exception}: ${firstLine.trim()}${hint === undefined ? '' : `; ${hint}`}`,
  );
}

/** No node took a new block, whether nodes are full, away, or left out by us. */
export function isNotPlaced(error: unknown): boolean {
  return error instanceof ParsError && notPlacedPattern.test(error.message);
}

/** Nodes run that were not left out by us, and none of them took a new block. */
export function isRefusedByNodes(error: unknown): boolean {
  const match = error instanceof ParsError ? notPlacedPattern.exec(error.message) : null;
  return match !== null && Number(match[1]) > (match[2] === 'no' ? 0 : Number(match[2]));
}

/** The NameNode knows no DataNode for a new block: all are full, or none is alive; it does not say which. */
export function isWithoutDataNode(error: unknown): boolean {
  return error instanceof ParsError && error.message.includes('Failed to find datanode');
}

function codeOf(exception: string, message: string): ErrorCode {
  const notPlaced = notPlacedPattern.exec(message);
  // Nodes that run and were not left out by us took nothing: they are full. Otherwise nodes are missing, not space.
  if (notPlaced) {
    return notPlaced[1] !== '0' && notPlaced[2] === 'no' ? 'no-space' : 'unavailable';
  }
  const ofMessage = codeOfMessage.find(([pattern]) => pattern.test(message));
  // Unknown failures are mostly passing ones (a pipeline that broke, a lease, a node that is starting), and retries end.
  return ofMessage?.[1] ?? codeOfException[exception] ?? 'unavailable';
}
