// The files that a guest's snapshot consists of, and how a folder of them is
// opened again.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DIMM_FILE, type Machine, MACHINE_FILES } from './machine.js';

/** Files of one moment of a guest. A resumed copy writes to none of them. */
export interface GuestSnapshot {
  readonly folder: string;
  readonly machine: Machine;
  readonly ramPath: string;
  /** The file of the DIMM, where the machine has one. */
  readonly dimmPath: string;
  /** QEMU's device state: a migration stream without the RAM. */
  readonly statePath: string;
  readonly diskPath: string;
  readonly sparePath: string;
  readonly initramfsPath: string;
  /** The kernel's own accounts, written right before the stop. */
  readonly kpageflagsPath: string;
  readonly kpagecountPath: string;
  /** The kernel's totals, from right before its accounts of pages: /proc/zoneinfo, meminfo and vmstat. */
  readonly countersPath: string;
}

export const MACHINE_DESCRIPTION = 'machine.json';

export function snapshotIn(folder: string, machine: Machine): GuestSnapshot {
  return {
    folder,
    machine,
    ramPath: join(folder, MACHINE_FILES.ram),
    dimmPath: join(folder, DIMM_FILE),
    statePath: join(folder, 'state'),
    diskPath: join(folder, MACHINE_FILES.disk),
    sparePath: join(folder, MACHINE_FILES.spare),
    initramfsPath: join(folder, MACHINE_FILES.initramfs),
    kpageflagsPath: join(folder, 'kpageflags-before.bin'),
    kpagecountPath: join(folder, 'kpagecount-before.bin'),
    countersPath: join(folder, 'counters-before.txt'),
  };
}

export function openSnapshot(folder: string): GuestSnapshot {
  const description = readFileSync(join(folder, MACHINE_DESCRIPTION), 'utf8');
  return snapshotIn(folder, JSON.parse(description) as Machine);
}
