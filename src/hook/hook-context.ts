// What every hook command works with. `openHook` of src/cli/hook/open.ts makes one from the command line; nothing here
// knows how `pars` itself is started, since that is handed in.
import type { Spool } from '../spool/spool.js';
import type { Capture, CaptureRequest } from '../vm/capture/capture.js';
import type { HookConfig } from './config.js';
import type { HookLog } from './observe/log.js';
import type { HookMetrics } from './observe/metrics.js';
import type { ExitMeaning } from './upload-outcome.js';

export interface HookContext {
  readonly config: HookConfig;
  readonly log: HookLog;
  readonly spool: Spool;
  readonly metrics: HookMetrics;
  /** The command line that starts `pars`; arguments follow. */
  readonly pars: readonly string[];
  /** What the exit codes of `pars` mean to who sends again. */
  readonly exitMeaning: ExitMeaning;
  /** A running VM into a folder. */
  readonly captureVm: (request: CaptureRequest) => Promise<Capture>;
  /** Ends what a capture that was killed has left of the VM or on the host; the folder goes afterwards. */
  readonly cleanUpCapture: (folder: string) => Promise<void>;
  readonly signal: AbortSignal;
}
