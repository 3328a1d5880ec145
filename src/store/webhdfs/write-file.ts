// Writing a file that appears under its name only when HDFS is known to have the right bytes.
//
// The content goes to a name of its own first, is checked there, and is then renamed without overwriting. The detour is
// needed because a DataNode whose client goes away closes what it has got as a finished, shorter file: under the final
// name that would be a wrong file that looks right. It also settles whose file it is when an answer was lost: only this
// call knows the name, so removing a leftover never removes somebody else's file.

import { setTimeout as delay } from 'node:timers/promises';
import { ParsError } from '../../../introspect/pars-error.js';
import type { FileToWrite } from '../check-write.js';
import { folderOf } from '../hadoop/namespace.js';
import { retried, type Retry } from '../hadoop/retry.js';
import {
  isWorthAnotherUpload,
  uploadPathOf,
  watched,
  withinBlock,
  writeRetryMaxMs,
} from '../hadoop/upload.js';
import type { ReedSolomon } from '../redundancy.js';
import type { Content } from '../threads/content.js';
import { fileChecksumAnswer } from './answers.js';
import type { BlockLocations } from './block-locations.js';
import type { WebHdfsClient } from './client.js';
import { CodedChecksum } from './coding/coded-checksum.js';
import type { CodedFolders } from './coding/coded-folders.js';
import type { DataNodes } from './data-nodes.js';
import { comparableMd5, FileChecksum } from './file-checksum.js';
import type { HttpAnswer } from './http/http-client.js';
import type { MadeFolders } from './made-folders.js';
import type { Namespace } from './namespace.js';
import { readFile } from './read-file.js';

export interface FileWriterOptions {
  readonly client: WebHdfsClient;
  readonly dataNodes: DataNodes;
  readonly locations: BlockLocations;
  readonly namespace: Namespace;
  readonly folders: MadeFolders;
  readonly codedFolders: CodedFolders;
  readonly retry: Retry;
  /** Longer than for reading: HDFS replaces a dead node of the pipeline while the client waits. */
  readonly writeIdleTimeoutMs: number;
  readonly continueTimeoutMs: number;
}

/** A DataNode creates the file a moment after the request arrived, even if the client is gone by then. */
const lateCreateMs = 200;
/** What reading back holds in memory. */
const readBackBytes = 8 * 1024 * 1024;

/** The contract of Store.write. `path` is absolute in HDFS. */
export async function writeFile(
  options: FileWriterOptions,
  path: string,
  content: Content,
  wanted: FileToWrite,
): Promise<number> {
  const { namespace, folders, codedFolders, retry } = options;
  const { signal, code, nameTells } = wanted;
  // Found out early: the rename would find it out when all is sent. Nobody else writes a name that tells nothing.
  if (
    nameTells === 'whole' &&
    (await retried(retry, signal, () => namespace.status(path, signal))) !== undefined
  ) {
    throw new ParsError(
      'already-exists',
      `CREATE ${path}: there is one already, and nothing was overwritten`,
    );
  }
  const source = watched(content);
  const leftovers = new Set<string>();
  try {
    const upload = await retried(
      { ...retry, policy: { ...retry.policy, maxTotalMs: writeRetryMaxMs } },
      signal,
      async () => {
        const uploadPath =
          code === undefined ? uploadPathOf(path) : codedFolders.uploadPathOf(path, code);
        leftovers.add(uploadPath);
        try {
          const checksum = await sendContent(options, uploadPath, source.open, wanted);
          await verify(options, uploadPath, checksum, wanted);
          if (code !== undefined) {
            await codedFolders.expectCoded(uploadPath, code, signal);
          }
          return { uploadPath, sizeBytes: checksum.sizeBytes };
        } catch (error) {
          if (await isRemoved(options, uploadPath)) {
            leftovers.delete(uploadPath);
          }
          throw error;
        }
      },
      (error) => !source.hasFailed() && isWorthAnotherUpload(error),
    );
    const rename = () => namespace.rename(upload.uploadPath, path, retry, signal);
    // A coded upload was in another folder than the file is to be.
    await (code === undefined ? rename() : folders.within(folderOf(path), signal, rename));
    leftovers.delete(upload.uploadPath);
    return upload.sizeBytes;
  } finally {
    for (const leftover of leftovers) {
      // Once the NameNode is away, asking on costs a timeout each.
      if (!(await isRemoved(options, leftover))) {
        break;
      }
    }
  }
}

async function sendContent(
  { dataNodes, folders, codedFolders, writeIdleTimeoutMs, continueTimeoutMs }: FileWriterOptions,
  uploadPath: string,
  open: () => AsyncGenerator<Uint8Array>,
  wanted: FileToWrite,
): Promise<SentChecksum> {
  const { copyCount, code, blockSizeBytes, signal } = wanted;
  let checksum = checksumOf(wanted);
  async function* checked(): AsyncGenerator<Uint8Array> {
    const doing = `CREATE ${uploadPath}`;
    checksum = checksumOf(wanted);
    for await (const bytes of withinBlock(open(), blockSizeBytes, doing)) {
      checksum.update(bytes);
      yield bytes;
    }
  }
  const query = {
    overwrite: 'false',
    replication: String(copyCount),
    // Of one unit where it is coded: a whole file fits into one group all the same.
    blocksize: String(code === undefined ? blockSizeBytes : wholeCells(blockSizeBytes, code)),
    permission: '600',
    // HDFS would give folders that it makes itself the permissions of the one above.
    createparent: 'false',
  };
  const operation = { method: 'PUT', op: 'CREATE', path: uploadPath, query, signal } as const;
  const send = () =>
    dataNodes.sendNew(operation, {
      body: checked(),
      idleTimeoutMs: writeIdleTimeoutMs,
      continueTimeoutMs,
    });
  await (code === undefined
    ? folders.within(folderOf(uploadPath), signal, send)
    : codedFolders.within(code, signal, send));
  return checksum;
}

type SentChecksum = FileChecksum | CodedChecksum;

function checksumOf({ code, blockSizeBytes }: FileToWrite): SentChecksum {
  return code === undefined ? new FileChecksum(blockSizeBytes) : new CodedChecksum(code);
}

/** HDFS takes no block that ends amid a cell. */
function wholeCells(blockSizeBytes: number, { cellSizeBytes }: ReedSolomon): number {
  return Math.ceil(blockSizeBytes / cellSizeBytes) * cellSizeBytes;
}

/** Throws `corrupt` unless HDFS has the very bytes that `checksum` was fed with. */
async function verify(
  options: FileWriterOptions,
  uploadPath: string,
  checksum: SentChecksum,
  wanted: FileToWrite,
): Promise<void> {
  const { signal } = wanted;
  const { client, dataNodes, locations, retry } = options;
  const { sizeBytes } = checksum;
  const blocks = await retried(retry, signal, () =>
    locations.ask(uploadPath, signal ? { signal } : undefined),
  );
  locations.forget(uploadPath);
  const foundBytes = blocks.reduce((sum, block) => sum + block.sizeBytes, 0);
  if (foundBytes !== sizeBytes) {
    throw new ParsError(
      'corrupt',
      `CREATE ${uploadPath}: sent ${sizeBytes} bytes, and HDFS has ${foundBytes}`,
    );
  }
  const last = blocks.at(-1);
  if (!last) {
    return;
  }

  const operation = { method: 'GET', op: 'GETFILECHECKSUM', path: uploadPath, signal } as const;
  const parse = (answer: HttpAnswer) =>
    client.readJson(answer, `GETFILECHECKSUM ${uploadPath}`, fileChecksumAnswer);
  const { FileChecksum: found } = await retried(retry, signal, () =>
    dataNodes.askHolder(operation, last.locations, parse),
  );
  const expectedMd5 = checksum.digest();
  if (comparableMd5(found.algorithm, found.bytes) === expectedMd5) {
    return;
  }
  // Another algorithm (dfs.checksum.combine.mode), a code of the folder's own, or other bytes: only the bytes themselves can tell.
  await retried(retry, signal, async () => {
    const readBack = checksumOf(wanted);
    for (let offsetBytes = 0; offsetBytes < sizeBytes; offsetBytes += readBackBytes) {
      const pieceBytes = Math.min(readBackBytes, sizeBytes - offsetBytes);
      const readOptions = signal ? { signal } : undefined;
      readBack.update(await readFile(options, uploadPath, offsetBytes, pieceBytes, readOptions));
    }
    const foundMd5 = readBack.digest();
    if (foundMd5 !== expectedMd5) {
      throw new ParsError(
        'corrupt',
        `CREATE ${uploadPath}: expected the checksum ${expectedMd5} of what was sent, found ${foundMd5} of what HDFS has`,
      );
    }
  });
}

/** False when the store cannot be reached. Not bound to the caller's signal: cleaning up is for after it was aborted. */
async function isRemoved({ namespace }: FileWriterOptions, uploadPath: string): Promise<boolean> {
  try {
    if (await namespace.remove(uploadPath, undefined)) {
      return true;
    }
    await delay(lateCreateMs);
    await namespace.remove(uploadPath, undefined);
    return true;
  } catch {
    // The failure that led here is the one to report.
    return false;
  }
}
