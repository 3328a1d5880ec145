// Guests that were reset, or rebooted by firmware or by kexec, a moment ago: the kernel that ran before lies dead in RAM, and
// another one is starting, or has started. Kept in the user's cache folder: the RAM before, and RAM and device state of each
// moment after.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { copySparse } from '../guest/copy-sparse.js';
import { bootGuest, type Guest } from '../guest/guest.js';
import type { GuestOptions } from '../guest/guest-options.js';
import { cacheFolder } from '../setup/cache-folder.mjs';
import { cpusOfState } from './cpus-of-state.js';
import { nextKernelCommands, nextKernelDisk } from './next-kernel.js';

export const deaths = ['reset', 'reboot', 'kexec'] as const;
export type Death = (typeof deaths)[number];

const guests = {
  '5.10': { kernelRelease: '5.10.' },
  '6.12': { kernelRelease: '6.12.' },
  '6.12 nokaslr': { kernelRelease: '6.12.', kernelArguments: ['nokaslr'] },
  '7.3': { kernelRelease: '7.3.', cpuModel: 'max' },
} as const satisfies Record<string, GuestOptions>;
export type DeadGuest = keyof typeof guests;

const small: GuestOptions = {
  ramSizeMib: 192,
  vcpuCount: 2,
  anonymousSizeMib: 4,
  tmpfsSizeMib: 4,
  disk: { contentSizeMib: 8 },
};
/** The next kernel and its initramfs are there twice before it runs. */
const kexecRamSizeMib = 384;
const version = 2;
const firstMomentMs = 40;
/** Each moment is so much later than the one before: the first few are in firmware, the last ones in init. */
const momentGrowth = 1.6;
const longestWaitMs = 4000;
const maxMomentCount = 18;
/** How many moments are taken after every CPU runs in a kernel again. */
const lateMomentCount = 3;
/** How many moments are taken of a kexec: nobody resets the registers, so they do not show when CPUs run in a kernel again. */
const kexecMomentCount = 13;

export interface DeadKernel {
  readonly name: string;
  readonly ramBeforePath: string;
  readonly ramPath: string;
  readonly statePath: string;
}

export const deadGuests = Object.keys(guests) as readonly DeadGuest[];

/** Every moment of that guest's death, made unless it is there already. */
export async function deadKernels(guest: DeadGuest, death: Death): Promise<readonly DeadKernel[]> {
  const name = `${guest} ${death}`;
  const folder = join(cacheFolder(), 'guests', `dead-${version}-${name.replaceAll(' ', '-')}`);
  if (!existsSync(folder)) {
    const unfinished = `${folder}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished, { recursive: true });
    await die({ ...small, ...guests[guest] }, death, unfinished);
    renameSync(unfinished, folder);
  }
  const momentCount = readdirSync(folder).filter((entry) => entry.endsWith('.ram')).length;
  return Array.from({ length: momentCount }, (_, moment) => ({
    name: `${name} ${moment}`,
    ramBeforePath: join(folder, 'before'),
    ramPath: join(folder, `${moment}.ram`),
    statePath: join(folder, `${moment}.state`),
  }));
}

async function die(options: GuestOptions, death: Death, folder: string): Promise<void> {
  const nextKernel = join(folder, 'next-kernel');
  const guest = await bootGuest(
    death === 'kexec'
      ? {
          ...options,
          ramSizeMib: kexecRamSizeMib,
          qemuArguments: nextKernelDisk(nextKernel, options),
        }
      : options,
  );
  try {
    await guest.qmp('set-action', { reboot: 'reset' });
    if (death === 'kexec') {
      await guest.command(nextKernelCommands.load);
    }
    await guest.stop();
    await copySparse(guest.ramPath, join(folder, 'before'));
    if (death === 'reset') {
      await guest.qmp('system_reset');
      await guest.cont();
    } else {
      await guest.cont();
      // No answer comes.
      const command = death === 'kexec' ? nextKernelCommands.jump : 'reboot -f';
      guest.command(command, 1000).catch(() => undefined);
      await sleep(firstMomentMs * 2);
    }
    let waitMs = firstMomentMs;
    let lateCount = 0;
    const momentCount = death === 'kexec' ? kexecMomentCount : maxMomentCount;
    for (let moment = 0; moment < momentCount && lateCount < lateMomentCount; moment++) {
      await sleep(waitMs);
      waitMs = Math.min(waitMs * momentGrowth, longestWaitMs);
      const path = join(folder, String(moment));
      await saveMoment(guest, path);
      const hasBegun =
        death !== 'kexec' &&
        moment > 2 &&
        cpusOfState(`${path}.state`).every(({ lstar }) => lstar !== 0n);
      lateCount += hasBegun ? 1 : 0;
    }
  } finally {
    await guest.close();
    rmSync(nextKernel, { force: true });
  }
}

/** RAM and device state of this moment, as `path.ram` and `path.state`; the guest goes on. */
export async function saveMoment(guest: Guest, path: string): Promise<void> {
  await guest.stop();
  await guest.qmp('migrate-set-capabilities', {
    capabilities: [{ capability: 'x-ignore-shared', state: true }],
  });
  await guest.qmp('migrate', { uri: `exec:cat > '${path}.state'` });
  for (let status = ''; status !== 'completed';) {
    await sleep(20);
    ({ status = '' } = (await guest.qmp('query-migrate')) as { status?: string });
    if (status === 'failed') {
      throw new Error(`QEMU did not save ${path}.state`);
    }
  }
  await copySparse(guest.ramPath, `${path}.ram`);
  await guest.cont();
}
