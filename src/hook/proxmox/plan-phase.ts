// What a call of vzdump asks for. vzdump calls its hook script as `SCRIPT PHASE [MODE VMID]`, with more in the environment,
// and stops the backup when the script fails. Pure.

/** As in the example vzdump-hook-script.pl of Proxmox VE, in the order of a job. */
export const phases = [
  'job-init',
  'job-start',
  'backup-start',
  'pre-stop',
  'pre-restart',
  'post-restart',
  'backup-end',
  'backup-abort',
  'log-end',
  'job-end',
  'job-abort',
] as const;
export type Phase = (typeof phases)[number];

export type PhasePlan =
  | { readonly do: 'nothing'; readonly reason: string }
  | { readonly do: 'capture'; readonly vm: string; readonly qmpPath: string }
  | { readonly do: 'flush' };

/** `%` stands for the number of the VM. */
export const defaultQmpPattern = '/var/run/qemu-server/%.qmp';

/** Phases after which the spool is sent: the job is over, or this VM's part of it, and its snapshots are in the spool. */
const flushPhases: ReadonlySet<string> = new Set<Phase>(['backup-end', 'job-end', 'job-abort']);

export function planPhase(
  [phase, mode, vmid]: readonly (string | undefined)[],
  environment: Readonly<Record<string, string | undefined>>,
  qmpPattern: string,
): PhasePlan {
  if (phase === undefined || !(phases as readonly string[]).includes(phase)) {
    return { do: 'nothing', reason: `expected a phase of vzdump, found ${phase ?? 'none'}` };
  }
  if (flushPhases.has(phase)) {
    return { do: 'flush' };
  }
  if (phase !== 'backup-start') {
    return { do: 'nothing', reason: `nothing is to be done in the phase ${phase}` };
  }
  if (environment['VMTYPE'] !== 'qemu') {
    return { do: 'nothing', reason: `a guest of type ${environment['VMTYPE'] ?? 'none'} is no VM` };
  }
  if (mode !== 'snapshot') {
    return {
      do: 'nothing',
      reason: `in the mode ${mode ?? 'none'} the VM is stopped for its backup`,
    };
  }
  // Of a shell's or a typist's making, it would lead to another path.
  if (vmid === undefined || !/^\d{1,9}$/.test(vmid)) {
    return { do: 'nothing', reason: `expected the number of a VM, found ${vmid ?? 'none'}` };
  }
  const name = environment['HOSTNAME'] ?? '';
  return {
    do: 'capture',
    vm: name === '' ? `vm-${vmid}` : name,
    qmpPath: qmpPattern.replaceAll('%', vmid),
  };
}

/** What tells a VM from others of this host that are called as it is: its number, of a call that `planPhase` takes. */
export function numberOfHost([, , vmid = '']: readonly string[]): string {
  return `proxmox:${vmid}`;
}
