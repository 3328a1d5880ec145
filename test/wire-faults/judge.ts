// What HDFS itself makes of the files of some cases: `hdfs dfs -get` and `-checksum`, and fsck, with files that are open.

import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { FileChecksum } from '../../src/store/webhdfs/file-checksum.js';
import type { HdfsCluster } from '../hdfs/cluster.js';
import { bytesOf, nameOfCase } from './run-case.js';
import type { WireCase } from './wire-case.js';

/** A copy that HDFS makes anew, of a node that failed or was blamed, takes seconds. */
const settleTimeoutMs = 60_000;
const blockSizeBytes = 4 * 2 ** 20;

/** What is wrong with the file of each case, by its number; and then the folder is removed. */
export async function judge(
  cluster: HdfsCluster,
  folder: string,
  cases: readonly WireCase[],
): Promise<ReadonlyMap<number, readonly string[]>> {
  const wrong = new Map(cases.map(({ number }) => [number, [] as string[]]));
  const blame = (wireCase: WireCase, problem: string): void => {
    wrong.get(wireCase.number)?.push(problem);
  };
  const files = await settledFiles(cluster, folder, cases);
  for (const wireCase of cases) {
    const file = files.get(nameOfCase(wireCase));
    if (file === undefined) {
      blame(wireCase, 'fsck does not list its file');
    } else if (file.isOpen || file.liveCounts.length !== 1) {
      blame(wireCase, `fsck says: ${file.line}`);
    } else if (file.liveCounts[0] !== wireCase.copyCount) {
      blame(wireCase, `fsck counts ${file.liveCounts[0]} copies of ${wireCase.copyCount}`);
    }
    files.delete(nameOfCase(wireCase));
  }
  // Left by some case of these, and by which its name says.
  for (const [name, { line }] of files) {
    const owner = cases.find((wireCase) => name.startsWith(`${nameOfCase(wireCase)}.`)) ?? cases[0];
    blame(owner, `left behind: ${line}`);
  }
  await compareBytes(cluster, folder, cases, blame);
  await compareChecksums(cluster, folder, cases, blame);
  await cluster.hdfsDfs(['-rm', '-r', '-skipTrash', folder]);
  return wrong;
}

interface CheckedFile {
  readonly line: string;
  readonly isOpen: boolean;
  readonly liveCounts: readonly number[];
}

/** The files below `folder`, by name, once each has its copies or the time is over. */
async function settledFiles(
  cluster: HdfsCluster,
  folder: string,
  cases: readonly WireCase[],
): Promise<Map<string, CheckedFile>> {
  const deadlineMs = performance.now() + settleTimeoutMs;
  for (;;) {
    const files = filesIn(await cluster.fsck(folder, { openForWrite: true }), folder);
    const isSettled = cases.every((wireCase) => {
      const file = files.get(nameOfCase(wireCase));
      return file?.isOpen === false && file.liveCounts[0] === wireCase.copyCount;
    });
    if (isSettled || performance.now() > deadlineMs) {
      return files;
    }
    await delay(500);
  }
}

/** "/folder/name 123 bytes, replicated: replication=3, 1 block(s), OPENFORWRITE:  OK", and its blocks in lines below. */
export function filesIn(report: string, folder: string): Map<string, CheckedFile> {
  const files = new Map<string, CheckedFile>();
  let name: string | undefined;
  for (const line of report.split('\n')) {
    const start = new RegExp(`^${folder}/(\\S+) \\d+ bytes`).exec(line);
    if (start !== null) {
      name = start[1];
      files.set(name, { line, isOpen: line.includes('OPENFORWRITE'), liveCounts: [] });
    }
    const live = /Live_repl=(\d+)/.exec(line);
    const file = name === undefined ? undefined : files.get(name);
    if (live !== null && name !== undefined && file !== undefined) {
      files.set(name, { ...file, liveCounts: [...file.liveCounts, Number(live[1])] });
    }
  }
  return files;
}

async function compareBytes(
  cluster: HdfsCluster,
  folder: string,
  cases: readonly WireCase[],
  blame: (wireCase: WireCase, problem: string) => void,
): Promise<void> {
  const local = join(cluster.folder, 'judged');
  await rm(local, { recursive: true, force: true });
  const { exitCode, stderr } = await cluster.hdfsDfs(['-get', folder, local]);
  const names = new Set(exitCode === 0 ? await readdir(local) : []);
  for (const wireCase of cases) {
    const name = nameOfCase(wireCase);
    if (!names.has(name)) {
      blame(wireCase, `hdfs dfs -get does not give it: ${stderr.slice(0, 200)}`);
    } else if (!(await readFile(join(local, name))).equals(bytesOf(wireCase))) {
      blame(wireCase, 'hdfs dfs -get gives other bytes than were written');
    }
  }
  await rm(local, { recursive: true, force: true });
}

async function compareChecksums(
  cluster: HdfsCluster,
  folder: string,
  cases: readonly WireCase[],
  blame: (wireCase: WireCase, problem: string) => void,
): Promise<void> {
  const paths = cases.map((wireCase) => `${folder}/${nameOfCase(wireCase)}`);
  const { stdout } = await cluster.hdfsDfs(['-checksum', ...paths]);
  const lines = new Map(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => [line.split('\t')[0], line]),
  );
  for (const [index, wireCase] of cases.entries()) {
    const checksum = new FileChecksum(blockSizeBytes);
    checksum.update(bytesOf(wireCase));
    if (lines.get(paths[index])?.includes(checksum.digest()) !== true) {
      blame(wireCase, `hdfs dfs -checksum is another: ${lines.get(paths[index]) ?? 'none'}`);
    }
  }
}
