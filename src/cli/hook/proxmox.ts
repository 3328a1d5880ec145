// pars hook proxmox PHASE [MODE VMID]: as vzdump of Proxmox VE calls its hook script. Always ends well, or the backup
// would be stopped.
import type { Command } from 'commander';
import { messageOf } from '../../flow/message-of.js';
import type { HookContext } from '../../hook/hook-context.js';
import { defaultQmpPattern, numberOfHost, planPhase } from '../../hook/proxmox/plan-phase.js';
import { startFlush } from '../../hook/send/start-flush.js';
import { captureIntoSpool, type LiveVm } from '../../hook/take/capture-into-spool.js';
import { parseDuration } from '../../units/duration.js';
import { exitCodes } from '../shared/exit-code.js';
import { type CommandContext, runCommand } from '../shared/run-command.js';
import { configOption, type HookOptions, openHook } from './open.js';

export interface HookProxmoxOptions extends HookOptions {
  /** `%` stands for the number of the VM. */
  readonly qmp?: string;
  /** How long the backup waits for the capture. */
  readonly timeout?: string;
}

export function configure(command: Command): void {
  command
    .argument('<words...>', 'what vzdump calls its hook script with: PHASE [MODE VMID]')
    .addOption(configOption())
    .option(
      '--qmp <path>',
      "QMP socket of a VM, % for its number (default: Proxmox's, /var/run/qemu-server/%.qmp)",
    )
    .option('--timeout <duration>', 'how long the backup waits at most (default: 10m)')
    .action((words: readonly string[], options: HookProxmoxOptions) =>
      runCommand(options, (context) => hookProxmoxCommand(words, options, context)),
    );
}

const defaultTimeoutMs = 600_000;

export async function hookProxmoxCommand(
  words: readonly string[],
  options: HookProxmoxOptions,
  context: CommandContext,
): Promise<number> {
  const plan = planPhase(words, process.env, options.qmp ?? defaultQmpPattern);
  if (plan.do === 'nothing') {
    return exitCodes.ok;
  }
  try {
    const hook = await openHook(options, context);
    if (plan.do === 'flush') {
      startFlush(hook);
    } else {
      const live = { ...plan, numberOfHost: numberOfHost(words), source: 'proxmox' };
      await capture(hook, live, timeLimitOf(options, context));
      await hook.metrics.write();
    }
  } catch (error) {
    // vzdump shows it in the backup's own log.
    context.warn(`${words.join(' ')}: the backup goes on without it: ${messageOf(error)}`);
  }
  return exitCodes.ok;
}

async function capture(hook: HookContext, live: LiveVm, timeoutMs: number): Promise<void> {
  const signal = AbortSignal.any([hook.signal, AbortSignal.timeout(timeoutMs)]);
  try {
    await captureIntoSpool({ ...hook, signal }, live);
  } catch (error) {
    await hook.metrics.failed(live.vm);
    await hook.metrics.write();
    throw error;
  }
}

function timeLimitOf({ timeout }: HookProxmoxOptions, { warn }: CommandContext): number {
  const timeoutMs = timeout === undefined ? defaultTimeoutMs : parseDuration(timeout);
  if (timeoutMs === undefined || timeoutMs === 0) {
    warn(`--timeout: ${JSON.stringify(timeout)} is no duration such as 10m; 10m is taken`);
    return defaultTimeoutMs;
  }
  return timeoutMs;
}
