// A libvirt of the test's own: libvirtd and virtlogd in namespaces where libvirt's folders are folders of the test, so the
// host's libvirt, if it has one, is another. Whatever they start ends with the namespace.

import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { makeTemporaryFolder, type TemporaryFolder } from '../../e2e/temporary-folder.js';

const START_TIMEOUT_MS = 60_000;
const COMMAND_TIMEOUT_MS = 60_000;

/** What libvirt has there, by the name of the test's folder. */
const FOLDERS = {
  run: '/run/libvirt',
  lib: '/var/lib/libvirt',
  etc: '/etc/libvirt',
  cache: '/var/cache/libvirt',
  log: '/var/log/libvirt',
} as const;

const QEMU_CONFIG = `user = "root"
group = "root"
security_driver = "none"
cgroup_controllers = [ ]
namespaces = [ ]
`;

/** Why there can be no such libvirt here; undefined where there can. */
export function whyNoLibvirt(): string | undefined {
  if (process.getuid?.() !== 0) {
    return 'namespaces and libvirtd need root';
  }
  const missing = ['libvirtd', 'virtlogd', 'virsh', 'qemu-img', 'unshare'].filter(
    (name) => !isInstalled(name),
  );
  if (missing.length > 0) {
    return `${missing.join(', ')} is not installed`;
  }
  return existsSync('/etc/libvirt/qemu.conf')
    ? undefined
    : 'libvirt is not installed as a whole (libvirt-daemon-system)';
}

function isInstalled(name: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${name}`], {
      stdio: 'ignore',
      env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` },
    });
    return true;
  } catch {
    return false;
  }
}

export class PrivateLibvirt {
  readonly folder: string;
  readonly uri: string;
  readonly #temporary: TemporaryFolder;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(temporary: TemporaryFolder, child: ChildProcess) {
    this.folder = temporary.path;
    this.uri = `qemu+unix:///system?socket=${join(this.folder, 'run', 'libvirt-sock')}`;
    this.#temporary = temporary;
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once('close', resolve));
  }

  /** `hook`: the script that libvirt is to call, for which `pars` is `parsScript`. */
  static async start(hook: string, parsScript: string): Promise<PrivateLibvirt> {
    const temporary = await makeTemporaryFolder();
    const folder = temporary.path;
    for (const name of [...Object.keys(FOLDERS), 'bin', 'images']) {
      mkdirSync(join(folder, name));
    }
    mkdirSync(join(folder, 'etc', 'hooks', 'qemu.d'), { recursive: true });
    const write = (path: string, content: string, mode = 0o644): void => {
      writeFileSync(join(folder, path), content);
      chmodSync(join(folder, path), mode);
    };
    write('etc/qemu.conf', QEMU_CONFIG);
    write('etc/libvirtd.conf', 'auth_unix_rw = "none"\nunix_sock_group = "root"\n');
    write('etc/virtlogd.conf', '');
    write('etc/hooks/qemu.d/pars', hook, 0o755);
    write('bin/pars', parsScript, 0o755);
    const mounts = Object.entries(FOLDERS).map(
      ([name, place]) => `mkdir -p ${place}; mount --bind '${join(folder, name)}' ${place}`,
    );
    // The shell stays as the first process: libvirt's children would become nobody's otherwise. When its input ends, by the
    // test's will or with the test, it does, and with it all others of the namespace.
    const script = `set -e; ${mounts.join('; ')}; virtlogd -d; libvirtd & read -r _`;
    const child = spawn(
      'setpriv',
      [
        ...['--pdeathsig', 'KILL', '--', 'unshare', '--mount', '--pid', '--fork', '--mount-proc'],
        ...['--kill-child', 'bash', '-c', script],
      ],
      {
        stdio: ['pipe', 'ignore', 'ignore'],
        env: { PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
      },
    );
    const libvirt = new PrivateLibvirt(temporary, child);
    try {
      await libvirt.#ready();
    } catch (error) {
      await libvirt.close();
      throw error;
    }
    return libvirt;
  }

  get imagesFolder(): string {
    return join(this.folder, 'images');
  }

  get saveFolder(): string {
    return join(this.folder, 'lib', 'qemu', 'save');
  }

  async virsh(...words: readonly string[]): Promise<string> {
    const { stdout } = await promisify(execFile)('virsh', ['-c', this.uri, ...words], {
      timeout: COMMAND_TIMEOUT_MS,
    });
    return stdout.trim();
  }

  /** Pulls the plug of every VM too. */
  async close(): Promise<void> {
    this.#child.stdin?.end();
    await this.#ended;
    await this.#temporary.remove();
  }

  async #ready(): Promise<void> {
    const endMs = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      try {
        await this.virsh('list');
        return;
      } catch (error) {
        if (Date.now() > endMs) {
          throw new Error(`expected a libvirtd within ${START_TIMEOUT_MS} ms`, { cause: error });
        }
        await sleep(100);
      }
    }
  }
}
