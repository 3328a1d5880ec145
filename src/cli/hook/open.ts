// What the hook commands work with, from the command line: configuration, log, spool and metrics, and how `pars` is
// started and what its exit codes mean.
import { createRequire } from 'node:module';
import { Option } from 'commander';
import { readConfig } from '../../hook/config.js';
import type { HookContext } from '../../hook/hook-context.js';
import { openLog } from '../../hook/observe/log.js';
import { HookMetrics } from '../../hook/observe/metrics.js';
import type { ExitMeaning } from '../../hook/upload-outcome.js';
import { openSpool } from '../../spool/spool.js';
import { exitCodeOfError, exitCodes } from '../shared/exit-code.js';
import type { CommandContext, CommonOptions } from '../shared/run-command.js';

export interface HookOptions extends CommonOptions {
  /** Instead of PARS_CONFIG and /etc/pars/pars.yaml. */
  readonly config?: string;
}

export const configOption = (): Option =>
  new Option('--config <file>', 'pars.yaml (default: PARS_CONFIG, else /etc/pars/pars.yaml)');

export const exitMeaning: ExitMeaning = {
  stored: [exitCodes.ok, exitCodes.noKernel, exitCodes.inconsistent, exitCodes.underReplicated],
  storeAway: [exitCodeOfError.unavailable, exitCodeOfError['no-space']],
  stopped: [exitCodeOfError.cancelled],
  noStore: exitCodeOfError['not-found'],
};

/** Throws `usage` when the configuration is wrong, and what the spool's folder makes go wrong. */
export async function openHook(
  { config: configPath }: HookOptions,
  { signal }: CommandContext,
): Promise<HookContext> {
  const config = await readConfig(configPath);
  const log = openLog(config.log.level);
  const spool = await openSpool(config.spool.path, config.spool);
  return {
    config,
    log,
    spool,
    metrics: new HookMetrics(spool, config.metrics.textfilePath, log),
    pars: [process.execPath, createRequire(import.meta.url).resolve('#pars')],
    exitMeaning,
    captureVm: async (request) => {
      const { captureVm } = await import('../../vm/capture/capture.js');
      return await captureVm(request);
    },
    cleanUpCapture: async (folder) => {
      const { cleanUpCapture } = await import('../../vm/capture/clean-up/clean-up-capture.js');
      await cleanUpCapture(folder);
    },
    signal,
  };
}
