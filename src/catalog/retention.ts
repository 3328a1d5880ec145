// Which snapshots to keep, by their age: so many of the newest, and the newest of each of so many hours, days, ISO weeks
// and months. Periods without a snapshot do not count, so a VM that stood still for a year loses nothing by it. Pure.
//
// Hours and days are those of a time zone, by default the host's. The hour that a clock change repeats is two hours.

import { ParsError } from '../../introspect/pars-error.js';
import { compareText, olderFirst } from '../manifest/snapshot-order.js';
import type { VmIdentity } from '../manifest/types.js';
import { vmKey } from './vm-identity.js';

/** How many to keep of each; absent or 0 keeps none of that kind. */
export interface RetentionRule {
  readonly keepLast?: number | undefined;
  readonly keepHourly?: number | undefined;
  readonly keepDaily?: number | undefined;
  readonly keepWeekly?: number | undefined;
  readonly keepMonthly?: number | undefined;
}

/** `future`: a clock was wrong when it was taken or is wrong now, so its age says nothing. */
export type KeepReason = 'last' | 'hourly' | 'daily' | 'weekly' | 'monthly' | 'future';

export interface DatedSnapshot {
  readonly id: string;
  readonly vm: string;
  /** Snapshots of one name and two identities are of two VMs. */
  readonly identity?: VmIdentity | undefined;
  /** Milliseconds since 1970, UTC. */
  readonly createdMs: number;
}

export interface RetentionDecision {
  readonly snapshot: DatedSnapshot;
  /** Empty: to be removed. */
  readonly keptFor: readonly KeepReason[];
}

export interface RetentionMoment {
  readonly nowMs: number;
  /** A name of the IANA's, the host's own unless given. */
  readonly timeZone?: string;
}

interface Period {
  readonly option: keyof RetentionRule;
  readonly reason: KeepReason;
  /** Equal for two snapshots of one VM when only one of them is kept for this reason. */
  readonly of: (time: CalendarTime, snapshot: DatedSnapshot) => string | number;
}

interface CalendarTime {
  readonly hour: string;
  /** Days since 1 January 1970, of the local calendar. */
  readonly dayNumber: number;
  readonly month: string;
}

const dayMs = 24 * 3600 * 1000;
/** From the Monday of its week to 1 January 1970, a Thursday. */
const epochWeekday = 3;

const periods: readonly Period[] = [
  { option: 'keepLast', reason: 'last', of: (_, { id }) => id },
  { option: 'keepHourly', reason: 'hourly', of: ({ hour }) => hour },
  { option: 'keepDaily', reason: 'daily', of: ({ dayNumber }) => dayNumber },
  {
    option: 'keepWeekly',
    reason: 'weekly',
    of: ({ dayNumber }) => Math.floor((dayNumber + epochWeekday) / 7),
  },
  { option: 'keepMonthly', reason: 'monthly', of: ({ month }) => month },
];

/**
 * Decides for each VM by itself, by name and identity; the answer is by VM, oldest first. Snapshots of the future are kept and take no place
 * of the rule's. Throws `usage` for a rule that keeps nothing, so that none ever means "remove all".
 */
export function planRetention(
  snapshots: readonly DatedSnapshot[],
  rule: RetentionRule,
  { nowMs, timeZone }: RetentionMoment,
): readonly RetentionDecision[] {
  checkRule(rule);
  const calendarTime = calendarOf(timeZone);
  const sorted = [...snapshots].sort(
    (a, b) => compareText(a.vm, b.vm) || compareText(vmKey(a), vmKey(b)) || olderFirst(a, b),
  );
  const takenByVm = new Map<string, ReadonlyMap<KeepReason, Set<string | number>>>();
  const decide = (snapshot: DatedSnapshot): RetentionDecision => {
    if (snapshot.createdMs > nowMs) {
      return { snapshot, keptFor: ['future'] };
    }
    const key = vmKey(snapshot);
    const taken = takenByVm.get(key) ?? new Map(periods.map(({ reason }) => [reason, new Set()]));
    takenByVm.set(key, taken);
    const time = calendarTime(snapshot.createdMs);
    const keptFor = periods
      .filter(({ option, reason, of }) => {
        const takenOfReason = taken.get(reason);
        const period = of(time, snapshot);
        if (
          takenOfReason === undefined ||
          takenOfReason.size >= (rule[option] ?? 0) ||
          takenOfReason.has(period)
        ) {
          return false;
        }
        takenOfReason.add(period);
        return true;
      })
      .map(({ reason }) => reason);
    return { snapshot, keptFor };
  };
  // Newest first, since the newest of a period is the one that is kept.
  return sorted.reverse().map(decide).reverse();
}

function checkRule(rule: RetentionRule): void {
  for (const { option } of periods) {
    const count = rule[option] ?? 0;
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new ParsError(
        'usage',
        `${option}: expected a whole number of snapshots, found ${count}`,
      );
    }
  }
  if (periods.every(({ option }) => (rule[option] ?? 0) === 0)) {
    throw new ParsError(
      'usage',
      'this rule would keep no snapshot; say what to keep: the last ones, or hourly, daily, weekly or monthly ones',
    );
  }
}

function calendarOf(timeZone: string | undefined): (timeMs: number) => CalendarTime {
  const format = new Intl.DateTimeFormat('en-US', {
    ...(timeZone === undefined ? {} : { timeZone }),
    calendar: 'gregory',
    numberingSystem: 'latn',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    hourCycle: 'h23',
    // Tells the repeated hour of a clock change from the first.
    timeZoneName: 'longOffset',
  });
  return (timeMs) => {
    const parts = new Map(format.formatToParts(timeMs).map(({ type, value }) => [type, value]));
    const [year, month, day] = (['year', 'month', 'day'] as const).map((type) =>
      Number(parts.get(type)),
    );
    const dayNumber = Date.UTC(year, month - 1, day) / dayMs;
    return {
      hour: `${dayNumber} ${parts.get('hour')} ${parts.get('timeZoneName')}`,
      dayNumber,
      month: `${year}-${month}`,
    };
  };
}
