// One case from its number: which guest, which moment.
import { join } from 'node:path';
import { randomFrom } from '../e2e/random-numbers.js';
import type { HdfsCluster } from '../hdfs/cluster.js';
import type { AftermathOptions } from './aftermath.js';
import { type FaultCase, type FaultOutcome, makeCase, removeCase } from './fault-case.js';
import { inflict } from './inflict.js';
import type { FaultKind, GuestKind, HdfsFaultKind } from './kinds.js';
import { LiveGuest } from './live-guest.js';
import { momentOf, type Phase } from './moments.js';
import { inflictOnHdfs } from './store-faults.js';

/** Two of three cases have the first. */
export const guestKindOf = (index: number): GuestKind =>
  index % 3 === 2 ? 'standing' : 'background';

const phasesOf: Readonly<Record<GuestKind, readonly Phase[]>> = {
  background: ['running', 'stopping', 'prepared', 'running', 'storing', 'stopping', 'starting'],
  standing: ['stopping', 'stopping', 'storing'],
};

/** Guests are booted when they are asked for; one that was harmed makes room for another. */
export class Guests {
  readonly #booted = new Map<GuestKind, LiveGuest>();

  async get(kind: GuestKind): Promise<LiveGuest> {
    const live = this.#booted.get(kind) ?? (await LiveGuest.boot(kind));
    this.#booted.set(kind, live);
    return live;
  }

  async drop(kind: GuestKind): Promise<void> {
    await this.#booted.get(kind)?.close();
    this.#booted.delete(kind);
  }

  async close(): Promise<void> {
    for (const kind of [...this.#booted.keys()]) {
      await this.drop(kind);
    }
  }
}

export interface RunOptions extends AftermathOptions {
  readonly seed: number;
}

/** `work`: a folder for the case's own. */
export async function runCase(
  kind: Exclude<FaultKind, HdfsFaultKind>,
  index: number,
  work: string,
  guests: Guests,
  options: RunOptions,
): Promise<FaultOutcome> {
  const nextLive = await guests.get(guestKindOf(index));
  const live = kind === 'VM ended' ? await LiveGuest.boot(nextLive.kind) : nextLive;
  try {
    const fault = makeCase(join(work, `case-${index}`), {
      ...chanceOf(index, options),
      live,
      nextLive,
    });
    return await finish(fault, guests, () => inflict(kind, fault, options));
  } finally {
    if (live !== nextLive) {
      await live.close();
    }
  }
}

export interface HdfsRunOptions extends RunOptions {
  readonly cluster: HdfsCluster;
  /** The URL of a folder there. */
  readonly place: (path: string) => string;
}

export async function runCaseOnHdfs(
  kind: HdfsFaultKind,
  index: number,
  work: string,
  guests: Guests,
  options: HdfsRunOptions,
): Promise<FaultOutcome> {
  const { cluster, place } = options;
  const live = await guests.get(guestKindOf(index));
  const fault = makeCase(join(work, `case-${index}`), {
    ...chanceOf(index, options),
    live,
    nextLive: live,
    storeUrl: place(`/${kind.replace(' ', '-')}-${index}`),
  });
  return await finish(fault, guests, () => inflictOnHdfs(kind, fault, cluster, options));
}

function chanceOf(index: number, { seed }: RunOptions): Pick<FaultCase, 'moment' | 'random'> {
  const random = randomFrom(seed + index);
  const ordinal = Math.floor(index / 3) * 2 + (index % 3);
  return { random, moment: momentOf(ordinal, random, phasesOf[guestKindOf(index)]) };
}

async function finish(
  fault: FaultCase,
  guests: Guests,
  work: () => Promise<FaultOutcome>,
): Promise<FaultOutcome> {
  const { kind } = fault.nextLive;
  try {
    const outcome = await work();
    if (outcome.wrong.length > 0) {
      await guests.drop(kind);
    }
    return outcome;
  } catch (error) {
    await guests.drop(kind);
    return { phase: undefined, wrong: [(error as Error).stack ?? String(error)] };
  } finally {
    removeCase(fault);
  }
}
