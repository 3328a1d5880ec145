// A running VM into the spool, through its QMP socket.
import { randomBytes } from 'node:crypto';
import { ParsError } from '../../../introspect/pars-error.js';
import { expectVmName } from '../../catalog/vm-name.js';
import { messageOf } from '../../flow/message-of.js';
import type { VmIdentity } from '../../manifest/types.js';
import { capturedOf } from '../../spool/captured-of.js';
import { vmPathPart } from '../../spool/layout.js';
import { lockCapture } from '../../spool/lock.js';
import { addEntry } from '../../spool/new-entry.js';
import type { Capture } from '../../vm/capture/capture.js';
import { givenIdentity, liveIdentity } from '../../vm/vm-identity.js';
import { cleanSpool } from '../clean-spool.js';
import type { HookContext } from '../hook-context.js';
import { reportDropped } from '../report-dropped.js';

export interface LiveVm {
  readonly vm: string;
  readonly qmpPath: string;
  /** The QEMU command line, where it is not to be looked for. */
  readonly machinePath?: string | undefined;
  /** Who asked, such as `proxmox`. */
  readonly source: string;
  /** The VM's own number at its manager, such as `proxmox:105`; it counts beside UUID and host. */
  readonly numberOfHost?: string | undefined;
  /** What the user says it is: then that alone. */
  readonly vmId?: string | undefined;
}

/**
 * The entry's name. Throws `unavailable` when the VM is being captured already or cannot be reached, `no-space` when the
 * spool has no room; the VM runs on in any case. Limits and disks are as the configuration says for this VM.
 */
export async function captureIntoSpool(hook: HookContext, live: LiveVm): Promise<string> {
  const { spool, config, log } = hook;
  const { vm, source } = live;
  expectVmName(vm, 'call the VM otherwise');
  // The VM may stand still, or hang, since an earlier capture was killed.
  await cleanSpool(hook);
  const lock = await lockCapture(spool.paths.root, vmPathPart(vm), hook.signal);
  if (lock === undefined) {
    throw new ParsError(
      'unavailable',
      `a snapshot of ${vm} is being taken by another process; the one at hand was left out`,
    );
  }
  try {
    const withDisks = configOf(hook, vm)?.disks ?? config.capture.withDisks;
    const entry = await addEntry(spool, {
      vm,
      identity: randomBytes(8).toString('hex'),
      // Nobody knows before: it is checked once it is there.
      expectedBytes: 0,
      fill: async (folder) => {
        const capture = await hook.captureVm({
          qmpPath: live.qmpPath,
          folder,
          withoutDisks: !withDisks,
          maxDowntimeMs: config.capture.maxDowntimeMs,
          bandwidthBytesPerSecond: config.capture.bandwidthBytesPerSecond,
          machinePath: live.machinePath ?? configOf(hook, vm)?.machine,
          signal: hook.signal,
        });
        log.info('a running VM was captured', {
          vm,
          way: capture.way,
          downtimeMs: capture.downtimeMs,
        });
        warnOfResume(hook, vm, capture);
        return capturedOf({
          vm,
          source,
          folder,
          capture,
          identity: identityOfLive(hook, live, capture),
        });
      },
      // Where the VM could not be put right, how to do it stands in the folder.
      letGo: (folder) =>
        hook.cleanUpCapture(folder).then(
          () => true,
          (error: unknown) => {
            log.error('cannot clean up after a capture that failed; the next flush tries again', {
              vm,
              folder,
              error: messageOf(error),
            });
            return false;
          },
        ),
      onDropped: (dropped) => reportDropped(hook, dropped),
    });
    log.info('a snapshot is in the spool', { vm, entry });
    return entry;
  } finally {
    await lock.release();
  }
}

/** What whoever resumes it would else learn too late. */
function warnOfResume(
  { log }: Pick<HookContext, 'log'>,
  vm: string,
  { machinePath, notHeld, changedDevices: { added, removed } }: Capture,
): void {
  if (machinePath === undefined || notHeld.length + added.length + removed.length > 0) {
    log.warn('a resume of this snapshot needs more than it holds', {
      vm,
      commandLine: machinePath === undefined ? 'not found' : 'found',
      ofThisHost: notHeld.map(({ path }) => path),
      pluggedInSince: added,
      takenOut: removed,
    });
  }
}

function identityOfLive(hook: HookContext, live: LiveVm, { uuid }: Capture): VmIdentity {
  const given = live.vmId ?? configOf(hook, live.vm)?.id;
  return given === undefined
    ? liveIdentity({ id: live.numberOfHost, uuid, qmpPath: live.qmpPath })
    : givenIdentity(given);
}

/** What the configuration has on a VM; not the members that every object has. */
export function configOf({ config }: Pick<HookContext, 'config'>, vm: string) {
  return Object.hasOwn(config.vms, vm) ? config.vms[vm] : undefined;
}
