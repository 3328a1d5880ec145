// A running guest, and whether it is as it was before a capture: it answers, its memory can be written, and nothing of a
// capture is left in its QEMU.
import { join } from 'node:path';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { bootGuest, type Guest, resumeGuest } from '../guest/guest.js';
import { DIMM_FILE, MACHINE_FILES } from '../guest/machine.js';
import type { GuestKind } from './kinds.js';

/** A VM whose memory is write-protected for good hangs here. */
const writeTimeoutMs = 30_000;
const writeCommand =
  'dd if=/dev/urandom of=/run/alive bs=1M count=50 2>/dev/null && rm /run/alive && ' +
  'dd if=/dev/zero of=/data/alive bs=1M count=1 conv=fsync 2>/dev/null && rm /data/alive && echo written';

export class LiveGuest {
  readonly kind: GuestKind;
  readonly guest: Guest;
  readonly #before: Readonly<Record<string, unknown>>;
  readonly #checksums: ReadonlyMap<string, string>;

  private constructor(
    kind: GuestKind,
    guest: Guest,
    before: Readonly<Record<string, unknown>>,
    checksums: ReadonlyMap<string, string>,
  ) {
    this.kind = kind;
    this.guest = guest;
    this.#before = before;
    this.#checksums = checksums;
  }

  static async boot(kind: GuestKind): Promise<LiveGuest> {
    const guest = await bootGuest({
      ramSizeMib: 256,
      hasPrivateRam: kind === 'background',
      anonymousSizeMib: 8,
      tmpfsSizeMib: 8,
      disk: { contentSizeMib: 40 },
    });
    const checksums = await guest.checksums();
    return new LiveGuest(kind, guest, await stateOf(guest), checksums);
  }

  close(): Promise<void> {
    return this.guest.close();
  }

  /** What is wrong with it; nothing when it goes on as before. */
  async findings(): Promise<readonly string[]> {
    const found: string[] = [];
    const state = await stateOf(this.guest);
    for (const [name, before] of Object.entries(this.#before)) {
      if (!isDeepStrictEqual(state[name], before)) {
        found.push(`${name}: ${JSON.stringify(before)} became ${JSON.stringify(state[name])}`);
      }
    }
    if (state['status'] !== 'running') {
      return found;
    }
    const answer = await this.guest.command(writeCommand, writeTimeoutMs).catch(String);
    return answer === 'written' ? found : [...found, `it does not write: ${answer}`];
  }

  /** Whether it goes on from a restored stream and disks with all that it held. */
  async goesOnFrom(folder: string): Promise<readonly string[]> {
    const own = dirname(this.guest.diskPath);
    const files = {
      machine: this.guest.machine,
      dimmPath: join(folder, DIMM_FILE),
      sparePath: join(folder, 'disk-spare-device.img'),
      initramfsPath: join(own, MACHINE_FILES.initramfs),
    };
    const restored = {
      diskPath: join(folder, 'disk-disk-device.img'),
      ...(this.kind === 'background'
        ? { streamPath: join(folder, 'migration') }
        : { ramPath: join(folder, 'ram'), statePath: join(folder, 'state') }),
    };
    const copy = await resumeGuest({ ...filesOf(folder), ...files }, restored);
    try {
      const checksums = await copy.checksums();
      return [...this.#checksums]
        .filter(([name, checksum]) => checksums.get(name) !== checksum)
        .map(([name]) => `restored, ${name} is not what it was`);
    } finally {
      await copy.close();
    }
  }
}

/** What `resumeGuest` does not read of a snapshot, here. */
const filesOf = (folder: string) => ({
  folder,
  ramPath: '',
  statePath: '',
  diskPath: '',
  kpageflagsPath: '',
  kpagecountPath: '',
  countersPath: '',
});

interface Drive {
  readonly qdev?: string;
  readonly inserted?: { readonly 'node-name'?: string };
}

/** What of QEMU a capture touches. */
async function stateOf(guest: Guest): Promise<Readonly<Record<string, unknown>>> {
  const { status } = (await guest.qmp('query-status')) as { readonly status: string };
  const nodes = (await guest.qmp('query-named-block-nodes')) as readonly {
    readonly 'node-name': string;
  }[];
  const drives = (await guest.qmp('query-block')) as readonly Drive[];
  const capabilities = (await guest.qmp('query-migrate-capabilities')) as readonly {
    readonly capability: string;
    readonly state: boolean;
  }[];
  const parameters = (await guest.qmp('query-migrate-parameters')) as Readonly<
    Record<string, unknown>
  >;
  return {
    status,
    nodes: nodes.map((node) => node['node-name']).sort(),
    drives: drives.map(({ qdev, inserted }) => [qdev, inserted?.['node-name']]),
    capabilities: capabilities.filter(({ state }) => state).map(({ capability }) => capability),
    parameters,
    jobs: await guest.qmp('query-jobs'),
    exports: await guest.qmp('query-block-exports'),
    nbdServer: await hasNbdServer(guest),
  };
}

/** QEMU has one, and tells by refusing another. */
async function hasNbdServer(guest: Guest): Promise<boolean> {
  const path = join(dirname(guest.diskPath), 'probe-nbd.sock');
  try {
    await guest.qmp('nbd-server-start', { addr: { type: 'unix', data: { path } } });
  } catch {
    return true;
  }
  await guest.qmp('nbd-server-stop');
  return false;
}
