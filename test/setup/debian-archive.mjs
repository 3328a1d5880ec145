// Packages of any Debian suite, through an apt configuration of our own: apt downloads and checks signatures as always,
// but its sources and lists lie in the user's cache. The machine's own apt knows nothing of it, and no root is needed.

import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './cache-folder.mjs';
import { isRoot, run, SetupError } from './command.mjs';

export const ARCHIVE_KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const DEFAULT_MIRROR = 'http://deb.debian.org/debian/';
const DEFAULT_SECURITY_MIRROR = 'http://deb.debian.org/debian-security/';

/** Some suites of the archive. What is known of them is what the last `refresh` brought. */
export class DebianArchive {
  #suites;
  #options;
  #refreshedMark;

  constructor(suites) {
    const folder = join(cacheFolder(), 'apt');
    const sources = join(folder, `${suites.join('+')}.list`);
    const state = join(folder, 'lists');
    const cache = join(folder, 'cache');
    mkdirSync(join(state, 'partial'), { recursive: true });
    mkdirSync(join(cache, 'archives', 'partial'), { recursive: true });
    const lines = suites.map((suite) => `${sourceLine(suite)}\n`).join('');
    writeFileSync(sources, lines);
    this.#suites = suites;
    this.#refreshedMark = `${sources}.refreshed`;
    const settings = {
      'Dir::Etc::sourcelist': sources,
      'Dir::Etc::sourceparts': '-',
      'Dir::State::lists': state,
      'Dir::Cache': cache,
      // What was fetched for other suites stays.
      'APT::Get::List-Cleanup': 'false',
      // Suites whose support has ended are signed, but no longer anew.
      'Acquire::Check-Valid-Until': 'false',
      // The user that root's apt downloads as cannot enter root's cache.
      ...(isRoot() ? { 'APT::Sandbox::User': 'root' } : {}),
    };
    this.#options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  }

  /** Whether `refresh` has ever brought lists. Of some suites alone, as others share the folder, would not do. */
  get isKnown() {
    return existsSync(this.#refreshedMark);
  }

  refresh(log) {
    log(`apt: fetching the package lists of ${this.#suites.join(', ')} into ${cacheFolder()}`);
    run('apt-get', ['update', '-q', ...this.#options]);
    writeFileSync(this.#refreshedMark, '');
  }

  /** Names of packages that match a regular expression. */
  packageNames(pattern) {
    return run('apt-cache', ['search', '--names-only', ...this.#options, pattern])
      .split('\n')
      .map((line) => line.split(' ')[0])
      .filter(Boolean);
  }

  has(packageName) {
    return run('apt-cache', ['madison', ...this.#options, packageName]) !== '';
  }

  /** Downloads the package's newest version into the folder and returns its file name. */
  download(packageName, folder) {
    run('apt-get', ['download', '-q', ...this.#options, packageName], { cwd: folder });
    const fileName = readdirSync(folder).find(
      (name) => name.startsWith(`${packageName}_`) && name.endsWith('.deb'),
    );
    if (fileName === undefined) {
      throw new SetupError(`apt-get left no ${packageName}_*.deb`);
    }
    return fileName;
  }
}

/** The line of a source list for a suite, with the one index that downloads need, of a few megabytes. */
function sourceLine(suite) {
  if (!existsSync(ARCHIVE_KEYRING)) {
    throw new SetupError(
      `expected ${ARCHIVE_KEYRING}; it comes with the package debian-archive-keyring`,
    );
  }
  return `deb [arch=amd64 target=Packages signed-by=${ARCHIVE_KEYRING}] ${mirrorOf(suite)} ${suite} main`;
}

/** Where packages of the suite come from. */
export function mirrorOf(suite) {
  return suite.endsWith('-security')
    ? mirror(/\/debian-security\/?$/, DEFAULT_SECURITY_MIRROR)
    : mirror(/\/debian\/?$/, DEFAULT_MIRROR);
}

/** The mirror that the machine itself uses: it is near, and on some machines the only one within reach. */
function mirror(pattern, otherwise) {
  const uris = run('apt-get', ['indextargets', '--format', '$(REPO_URI)']).split('\n');
  return uris.find((uri) => pattern.test(uri)) ?? otherwise;
}
