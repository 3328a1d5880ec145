// Files in units of an erasure code. WebHDFS gives a policy to folders only, and a file has that of the folder that it is made in,
// wherever it is renamed to. So a coded file is made in a folder for its code below the store's root,
//
//   coding/RS-6-3-1024k/packs.<id>.000000.pack._uploading_.<random>
//
// and goes to its name from there, as any upload does. Whether HDFS did code it is asked of the file before: somebody may have
// taken the policy from the folder, or the folder away.

import { basename } from 'node:path/posix';
import { z } from 'zod';
import { ParsError } from '../../../../introspect/pars-error.js';
import { uploadPathOf } from '../../hadoop/upload.js';
import { ecPolicyName, type ReedSolomon } from '../../redundancy.js';
import { codingFolder } from '../../store.js';
import type { WebHdfsClient } from '../client.js';
import { MadeFolders } from '../made-folders.js';
import type { Namespace } from '../namespace.js';

/** SETECPOLICY answers nothing. */
const noAnswer = z.undefined();

export class CodedFolders {
  readonly #client: WebHdfsClient;
  readonly #namespace: Namespace;
  readonly #rootPath: string;
  readonly #folders = new MadeFolders({
    makeFolder: (path, signal) => this.#make(path, signal),
  });

  /** `rootPath`: of the store, absolute in HDFS. */
  constructor(client: WebHdfsClient, namespace: Namespace, rootPath: string) {
    this.#client = client;
    this.#namespace = namespace;
    this.#rootPath = rootPath;
  }

  /** The path of an upload of the file `path` of the store, in a folder that codes it so. */
  uploadPathOf(path: string, code: ReedSolomon): string {
    const flat = path.slice(this.#rootPath.length + 1).replaceAll('/', '.');
    return uploadPathOf(`${this.#folderOf(code)}/${flat}`);
  }

  /** As MadeFolders has it, for the folder that codes so. */
  async within<T>(
    code: ReedSolomon,
    signal: AbortSignal | undefined,
    act: () => Promise<T>,
  ): Promise<T> {
    return await this.#folders.within(this.#folderOf(code), signal, act);
  }

  /** Throws `unavailable`, which is worth another upload, unless HDFS keeps the file so. */
  async expectCoded(
    path: string,
    code: ReedSolomon,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const file = await this.#namespace.status(path, signal);
    const policy = ecPolicyName(code);
    if (file?.ecPolicy === policy) {
      return;
    }
    this.#folders.forget(this.#folderOf(code));
    throw new ParsError(
      'unavailable',
      `CREATE ${path}: expected a file that HDFS keeps by the erasure coding policy ${policy}, found ` +
        `${file === undefined ? 'none' : (file.ecPolicy ?? 'whole copies')}; see who changed the policy of its folder`,
    );
  }

  /** Gives it its policy unless it has that: who may not, can have it made by who may. */
  async #make(path: string, signal: AbortSignal | undefined): Promise<void> {
    const policy = basename(path);
    await this.#namespace.makeFolder(path, signal);
    const folder = await this.#namespace.status(path, signal);
    if (folder?.ecPolicy === policy) {
      return;
    }
    const query = { ecpolicy: policy };
    const operation = { method: 'PUT', op: 'SETECPOLICY', path, query, signal } as const;
    await this.#client.ask(operation, noAnswer);
  }

  /** The folder whose files are kept by the code; the last part of its path is the name of the policy. */
  #folderOf(code: ReedSolomon): string {
    return `${this.#rootPath}/${codingFolder}/${ecPolicyName(code)}`;
  }
}
