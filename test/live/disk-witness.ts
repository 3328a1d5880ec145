// What a disk image of a snapshot holds: its file system as after a power cut, whole once the journal is replayed, and in
// it the records of the witness. The image itself stays as it is.
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { copySparse } from '../guest/copy-sparse.js';
import { recordOf, recordSizeBytes, recordsPerFile } from './witness-layout.js';

export interface DiskWitness {
  readonly recordCount: number;
  readonly wrong: readonly string[];
}

/**
 * The totals in the superblock, not those of a group: ext4 writes them when it is unmounted and counts them anew when it
 * is mounted, so no image of a mounted file system has them right.
 */
const staleTotal = /^Free (?:blocks|inodes) count wrong \(\d+, counted=\d+\)\.\n/;

interface ProgramEnd {
  readonly exitCode: number;
  readonly output: string;
}

/** `folder` must not exist yet, and does not afterwards. */
export async function readDiskWitness(imagePath: string, folder: string): Promise<DiskWitness> {
  await mkdir(folder);
  try {
    const copy = join(folder, 'replayed.img');
    await copySparse(imagePath, copy);
    const replay = await run('e2fsck', ['-fy', copy]);
    // Every question that it asks itself is about something other than the journal.
    const repairs = replay.output.match(/^.*\n*.*\? yes$/gm) ?? [];
    const wrong = repairs
      .filter((text) => !staleTotal.test(text))
      .map((text) => `disk: expected a journal to replay, found ${text}`);
    if (replay.exitCode > 1) {
      wrong.push(`disk: e2fsck -fy ended with ${replay.exitCode}: ${replay.output}`);
    }
    wrong.push(...(await wrongFileSystem(copy)));
    await run('debugfs', ['-R', `rdump /records ${folder}`, copy]);
    const records = await readRecords(join(folder, 'records'));
    return { recordCount: records.recordCount, wrong: [...wrong, ...records.wrong] };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What is wrong with a file system that was unmounted, or whose journal was replayed. */
export async function wrongFileSystem(imagePath: string): Promise<readonly string[]> {
  const { exitCode, output } = await run('e2fsck', ['-fn', imagePath]);
  return exitCode === 0 ? [] : [`disk: e2fsck -fn ended with ${exitCode}: ${output}`];
}

async function readRecords(folder: string): Promise<DiskWitness> {
  const names = (await readdir(folder)).sort((a, b) => Number(a) - Number(b));
  const wrong: string[] = [];
  let recordCount = 0;
  for (const [index, name] of names.entries()) {
    const bytes = await readFile(join(folder, name));
    const isLast = index === names.length - 1;
    const isPlaced = name === String(index) && bytes.length % recordSizeBytes === 0;
    if (!isPlaced || (!isLast && bytes.length !== recordSizeBytes * recordsPerFile)) {
      wrong.push(`disk: expected file ${index} full of records, found ${name}: ${bytes.length}`);
    }
    for (let at = 0; at + recordSizeBytes <= bytes.length; at += recordSizeBytes) {
      if (!bytes.subarray(at, at + recordSizeBytes).equals(recordOf(recordCount))) {
        wrong.push(`disk: expected record ${recordCount}, found other bytes`);
      }
      recordCount++;
    }
  }
  return { recordCount, wrong: wrong.slice(0, 8) };
}

async function run(program: string, programArguments: readonly string[]): Promise<ProgramEnd> {
  return await new Promise((resolve, reject) => {
    execFile(
      program,
      programArguments,
      // Debian keeps them in /sbin, which is not on the path of ordinary users.
      {
        env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' },
      },
      (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : error.code;
        if (typeof exitCode !== 'number') {
          reject(error ?? new Error(`${program} did not run`));
        } else {
          resolve({ exitCode, output: `${stdout}${stderr}` });
        }
      },
    );
  });
}
