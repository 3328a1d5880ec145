// The disk that workloads run from: a Debian userland made by mmdebstrap, with everything in it that they need. Made once
// for each version of what it is made from, into the user's cache; renamed into place last, so that one that is there is
// whole. No root is needed, but the network is.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../setup/cache-folder.mjs';
import { ARCHIVE_KEYRING, mirrorOf } from '../../setup/debian-archive.mjs';
import { luceneJarsFolder, luceneVersion } from '../../setup/lucene-jars.mjs';
import { writeInputs } from './inputs.js';

const run = promisify(execFile);

const suites = ['bookworm', 'bookworm-security'] as const;
const packages = [
  ...['mariadb-server', 'sysbench', 'mummer', 'build-essential'],
  ...['openjdk-17-jdk-headless', 'systemd-sysv', 'perl'],
];
const imageSize = '6G';
/** How much the programs may print; mmdebstrap is talkative. */
const outputBytesMax = 64 << 20;

/** Without what makes the image rather than being in it. */
const guestFiles = /\.(?:sh|java|service)$/;

/** The path of the image; `log` is told before it is made. */
export async function userlandImage(log: (line: string) => void): Promise<string> {
  const path = join(cacheFolder(), 'workloads', `userland-${userlandVersion()}.img`);
  if (existsSync(path)) {
    return path;
  }
  log(`userland: making ${path}; that takes some minutes`);
  mkdirSync(dirname(path), { recursive: true });
  const work = mkdtempSync(join(dirname(path), 'make-'));
  try {
    await makeImage(work);
    renameSync(join(work, 'image'), path);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return path;
}

/** Short, of all that the image is made from. */
export function userlandVersion(): string {
  const hash = createHash('sha256').update(
    JSON.stringify([suites, packages, imageSize, luceneVersion]),
  );
  const folder = import.meta.dirname;
  for (const name of readdirSync(folder).sort()) {
    hash.update(name).update(readFileSync(join(folder, name)));
  }
  return hash.digest('hex').slice(0, 16);
}

async function makeImage(work: string): Promise<void> {
  const files = join(work, 'workloads');
  const archive = join(work, 'userland.tar');
  const tree = join(work, 'tree');
  mkdirSync(join(files, 'lucene', 'classes'), { recursive: true });
  for (const name of readdirSync(import.meta.dirname).filter((entry) => guestFiles.test(entry))) {
    cpSync(join(import.meta.dirname, name), join(files, name));
  }
  cpSync(luceneJarsFolder(), join(files, 'lucene', 'jars'), { recursive: true });
  writeInputs(join(files, 'input'));
  const sources = suites.flatMap((suite) =>
    ['deb', 'deb-src'].map((kind) => `${kind} ${mirrorOf(suite)} ${suite} main`),
  );
  await run(
    'mmdebstrap',
    [
      ...['--variant=important', '--format=tar', `--keyring=${ARCHIVE_KEYRING}`],
      `--include=${packages.join(',')}`,
      `--customize-hook=copy-in '${files}' /srv`,
      '--customize-hook=mv "$1/srv/workloads/pars-agent.service" "$1/etc/systemd/system"',
      '--customize-hook=chroot "$1" /srv/workloads/prepare.sh',
      ...[suites[0], archive, ...sources],
    ],
    { maxBuffer: outputBytesMax },
  );
  // fakeroot: the files' owners are those that the archive names, whoever runs this.
  const unpackAndMake =
    'mkdir "$2" && tar --extract --file "$1" --directory "$2" && rm "$1" && ' +
    'mke2fs -q -F -t ext4 -b 4096 -E lazy_itable_init=0,lazy_journal_init=0 -d "$2" "$3" "$4"';
  await run(
    'fakeroot',
    ['sh', '-c', unpackAndMake, 'sh', archive, tree, join(work, 'image'), imageSize],
    { maxBuffer: outputBytesMax },
  );
}
