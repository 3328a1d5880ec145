// pars upload --qmp: what its options say of the capture of a running VM, and with --dry-run what that would be.
import { ParsError } from '../../../introspect/pars-error.js';
import { expectVmName } from '../../catalog/vm-name.js';
import type { NamedPolicy } from '../../plan/policy.js';
import { expectCodes } from '../../snapshot/expect-codes.js';
import { makeScratch } from '../../snapshot/live/scratch.js';
import { storeRunningVm } from '../../snapshot/live/store-running-vm.js';
import { openStore } from '../../store/open-store.js';
import { parseDuration } from '../../units/duration.js';
import { type CapturePreview, previewCapture } from '../../vm/capture/capture.js';
import { captureWays } from '../../vm/capture/plan-capture.js';
import { exitCodes } from '../shared/exit-code.js';
import { formatBytes } from '../shared/format.js';
import { parseBandwidth } from '../shared/options/parse-bandwidth.js';
import type { CommandContext, CommonOptions } from '../shared/run-command.js';
import { capturedSource } from './captured-source.js';
import { type StoringOptions, uploadSource } from './upload-source.js';

export interface LiveOptions extends CommonOptions, StoringOptions {
  /** What the VM is called. */
  readonly name?: string;
  readonly vmId?: string;
  readonly machine?: string;
  readonly scratch?: string;
  readonly maxDowntime?: string;
  readonly withoutDisks?: boolean;
  readonly decryptDisks?: boolean;
}

export async function uploadLive(
  qmpPath: string,
  policy: NamedPolicy,
  options: LiveOptions,
  context: CommandContext,
): Promise<number> {
  const vm = options.name ?? '';
  expectVmName(vm, 'give another with --name');
  const capture = {
    qmpPath,
    withoutDisks: options.withoutDisks === true,
    decryptsDisks: options.decryptDisks === true,
    maxDowntimeMs: downtimeOf(options),
    machinePath: options.machine,
    bandwidthBytesPerSecond:
      options.bandwidth === undefined ? undefined : parseBandwidth(options.bandwidth),
  };
  if (options.dryRun === true) {
    printPreview(await previewCapture(capture), context);
    return exitCodes.ok;
  }
  // A store that is away, or cannot keep what it is to be given, should not cost the VM a pause.
  const { signal, onProgress, warn } = context;
  const store = await openStore(options.store);
  try {
    await expectCodes(store, { policy: policy.policy, allowFewer: options.allowFewer, signal });
  } finally {
    await store.close();
  }
  const scratch = makeScratch(options.scratch, warn);
  return await storeRunningVm(
    { vm, vmId: options.vmId, capture, scratch, signal, onProgress, warn },
    async (folder) => await uploadSource(await capturedSource(folder), policy, options, context),
  );
}

/** In milliseconds. */
function downtimeOf({ maxDowntime }: LiveOptions): number | undefined {
  const downtimeMs = maxDowntime === undefined ? undefined : parseDuration(maxDowntime);
  if (maxDowntime !== undefined && downtimeMs === undefined) {
    throw new ParsError(
      'usage',
      `${JSON.stringify(maxDowntime)} is no time: expected a number with its unit, such as 50ms or 2s`,
    );
  }
  return downtimeMs;
}

function printPreview(preview: CapturePreview, { print }: CommandContext): void {
  const { way, passedOver, expectedDowntimeMs, scratchSizeBytes, facts } = preview;
  const { disks, leftOut } = facts;
  print(
    {
      dryRun: true,
      way,
      passedOver,
      expectedDowntimeMs,
      scratchSizeBytes,
      qemuVersion: facts.qemuVersion,
      ramSizeBytes: facts.ramSizeBytes,
      disks,
      leftOut,
    },
    () => [
      `way: ${way}: ${captureWays[way]}`,
      ...passedOver.map(({ way: name, why }) => `not ${name}: ${why}`),
      `expected downtime: about ${expectedDowntimeMs} ms`,
      `scratch: up to ${formatBytes(scratchSizeBytes)}, and what the VM overwrites on its disks meanwhile`,
      ...disks.map(
        ({ name, sourcePath, sourceFormat, sizeBytes }) =>
          `disk ${name}: ${formatBytes(sizeBytes)}, ${sourceFormat}, ${sourcePath}`,
      ),
      ...leftOut.map(({ name, why }) => `without ${name}: ${why}`),
    ],
  );
}
