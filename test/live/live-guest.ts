// A guest with witnesses in it (test/guest/witness.c), whose ticks arrive outside. Its RAM is QEMU's own, so that QEMU can
// save it while it runs.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { copySparse } from '../guest/copy-sparse.js';
import { bootGuest, type Guest, resumeGuest } from '../guest/guest.js';
import { snapshotIn } from '../guest/guest-snapshot.js';
import type { Machine } from '../guest/machine.js';
import { TickRecorder } from './tick-recorder.js';

export interface LiveGuest {
  readonly guest: Guest;
  readonly ticks: TickRecorder;
  readonly close: () => Promise<void>;
}

const socketName = 'ticks.sock';

/** `folder`: where the socket of the ticks goes. */
export async function bootLiveGuest(folder: string, ramSizeMib = 512): Promise<LiveGuest> {
  const guest = await bootGuest({
    workload: 'live',
    hasPrivateRam: true,
    ramSizeMib,
    qemuArguments: tickDevices(folder),
  });
  try {
    // Most of the RAM has been in use, as that of a VM has that has been up for a while.
    await guest.command(`press ${Math.floor(ramSizeMib * 0.7)}`);
    const ticks = await TickRecorder.connect(join(folder, socketName));
    return {
      guest,
      ticks,
      close: async () => {
        ticks.close();
        await guest.close();
      },
    };
  } catch (error) {
    await guest.close();
    throw error;
  }
}

export interface RestoredFiles {
  readonly streamPath: string;
  readonly diskPath: string;
  readonly sparePath: string;
}

/** The restored files themselves stay as they are. `folder` is made for what else the VM needs. */
export async function resumeLiveGuest(
  original: Guest,
  { streamPath, diskPath, sparePath }: RestoredFiles,
  folder: string,
): Promise<Guest> {
  mkdirSync(folder);
  const machine: Machine = { ...original.machine, qemuArguments: tickDevices(folder) };
  const snapshot = { ...snapshotIn(folder, machine), diskPath, sparePath };
  await copySparse(original.initramfsPath, snapshot.initramfsPath);
  return await resumeGuest(snapshot, { streamPath });
}

function tickDevices(folder: string): readonly string[] {
  return [
    ...['-device', 'virtio-serial-pci', '-chardev'],
    `socket,id=ticks,path=${join(folder, socketName)},server=on,wait=off`,
    ...['-device', 'virtserialport,chardev=ticks,name=ticks'],
  ];
}
