// Where a VM's time went while it stood still, by the trace that QEMU wrote: each line ends a step.
import { readFileSync } from 'node:fs';
import type { Moment } from '../src/vm/capture/take-moment.js';

export const downtimeSteps = [
  'stop and flush',
  'disk filters',
  'connect',
  'touch pages',
  'device state',
  'write-protect',
  'set going',
] as const;

export type DowntimeStep = (typeof downtimeSteps)[number];

/** What of QEMU's trace ends which step. (QEMU migration/trace-events, softmmu/trace-events) */
const steps: readonly (readonly [pattern: RegExp, step: DowntimeStep])[] = [
  [/^vm_stop_flush_all/, 'stop and flush'],
  [/^vm_state_notify running 0/, 'stop and flush'],
  [/^migration_socket_outgoing_connected/, 'connect'],
  [/^migration_thread_setup_complete/, 'touch pages'],
  [/^savevm_section_(?:end|skip)/, 'device state'],
  [/^ram_write_tracking_ramblock_start/, 'write-protect'],
  [/^vm_state_notify running 1/, 'set going'],
];

const traced = [
  ...['vm_stop_flush_all', 'vm_state_notify', 'migration_socket_outgoing_connected'],
  ...['migration_thread_setup_complete', 'savevm_section_*', 'ram_write_tracking_ramblock_start'],
  ...['handle_qmp_command', 'monitor_qmp_respond'],
];

export function traceArguments(path: string): readonly string[] {
  return [
    ...traced.flatMap((event) => ['-trace', `enable=${event}`]),
    ...['-D', path, '-msg', 'timestamp=on'],
  ];
}

/** In milliseconds. */
export function readDowntimeSteps(
  tracePath: string,
  { stoppedMicroseconds, resumedMicroseconds }: Moment,
): Readonly<Record<DowntimeStep, number>> {
  const spent = Object.fromEntries(downtimeSteps.map((step) => [step, 0])) as Record<
    DowntimeStep,
    number
  >;
  let last = stoppedMicroseconds;
  const commands = new Map<string, string>();
  for (const line of readFileSync(tracePath, 'utf8').split('\n')) {
    const parts = /^\d+@(\d+)\.(\d+):(.*)$/.exec(line);
    if (parts === null) {
      continue;
    }
    const [, seconds, microseconds, text] = parts;
    const at = Number(seconds) * 1e6 + Number(microseconds);
    const id = /"id": (\d+)/.exec(text)?.[1] ?? '';
    const command = /^handle_qmp_command .*"execute": "([^"]+)"/.exec(text)?.[1];
    if (command !== undefined) {
      commands.set(id, command);
    }
    if (at < stoppedMicroseconds) {
      continue;
    }
    const step = stepOf(text, commands.get(id));
    // What leads up to a step is its own; other lines may lie in the middle of one.
    if (step === undefined) {
      continue;
    }
    const until = Math.min(at, resumedMicroseconds);
    spent[step] += (until - last) / 1000;
    last = until;
  }
  return spent;
}

function stepOf(text: string, command: string | undefined): DowntimeStep | undefined {
  if (text.startsWith('monitor_qmp_respond') && command === 'qom-set') {
    return 'disk filters';
  }
  if (text.startsWith('monitor_qmp_respond') && command === 'stop') {
    return 'stop and flush';
  }
  return steps.find(([pattern]) => pattern.test(text))?.[1];
}
