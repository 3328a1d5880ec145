// What every case has: a folder with a store and room for captures of its own, a guest, and a moment.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { lockFolder } from '../../src/spool/lock.js';
import type { LiveGuest } from './live-guest.js';
import type { Moment, Phase } from './moments.js';

export const vmName = 'vm1';

export interface FaultCase {
  readonly folder: string;
  readonly storeUrl: string;
  /** The scratch folder of `pars upload --qmp`. */
  readonly scratch: string;
  /** The configuration of `pars hook`. */
  readonly config: string;
  readonly spool: string;
  readonly live: LiveGuest;
  /** The one that is there afterwards, where the fault ends this one. */
  readonly nextLive: LiveGuest;
  readonly moment: Moment;
  readonly random: () => number;
}

export interface FaultOutcome {
  /** When it struck. Undefined: everything had come to its end. */
  readonly phase: Phase | undefined;
  /** What is not as it should be; nothing when all is well. */
  readonly wrong: readonly string[];
}

export interface CaseOptions extends Pick<FaultCase, 'live' | 'nextLive' | 'moment' | 'random'> {
  /** Instead of one on local disks. */
  readonly storeUrl?: string;
}

/** `folder` is made; the caller removes it. */
export function makeCase(folder: string, options: CaseOptions): FaultCase {
  const spool = join(folder, 'spool');
  const scratch = join(folder, 'scratch');
  const config = join(folder, 'pars.yaml');
  const storeUrl = options.storeUrl ?? pathToFileURL(join(folder, 'store')).href;
  mkdirSync(scratch, { recursive: true });
  const lines = [
    `store: ${storeUrl}`,
    `spool: {path: ${spool}}`,
    `vms: {${vmName}: {qmp: ${options.live.guest.qmpSocketPath}}}`,
  ];
  writeFileSync(config, lines.join('\n'));
  return { ...options, folder, storeUrl, scratch, config, spool };
}

export function removeCase({ folder }: FaultCase): void {
  rmSync(folder, { recursive: true, force: true });
}

/** Slow enough at times that each phase can be met. */
export function bandwidthOf({ random, moment }: FaultCase): readonly string[] {
  return moment.phase === 'running' || random() < 0.5 ? ['--bandwidth', '200M'] : [];
}

export const uploadWords = (
  { scratch, live, ...rest }: FaultCase,
  qmpPath = live.guest.qmpSocketPath,
): readonly string[] => [
  ...['upload', '--qmp', qmpPath, '--name', vmName, '--scratch', scratch, '--json'],
  ...bandwidthOf({ scratch, live, ...rest }),
];

export const hookWords = ({ config }: FaultCase): readonly string[] => [
  ...['hook', 'run', '--vm', vmName, '--config', config, '--json'],
];

/** What lies in a folder; nothing where there is none. */
export function namesIn(folder: string): readonly string[] {
  try {
    // Files of locks stay: one that was removed and made again would be another lock.
    return readdirSync(folder).filter((name) => name !== lockFolder);
  } catch {
    return [];
  }
}
