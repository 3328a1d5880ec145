// The faults that need no HDFS: a capture is begun, the fault strikes at its moment, and the VM is looked at.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listAnswer } from '../e2e/command-answers.js';
import { type RunningCommand, runPars, startPars } from '../e2e/pars-command.js';
import { mountTinyDisk } from '../e2e/tiny-disk.js';
import type { Guest } from '../guest/guest.js';
import { aftermathOf, type AftermathOptions } from './aftermath.js';
import {
  type FaultCase,
  type FaultOutcome,
  hookWords,
  namesIn,
  uploadWords,
} from './fault-case.js';
import type { FaultKind, HdfsFaultKind } from './kinds.js';
import { type Phase, phaseOf, untilMoment } from './moments.js';
import { guardsIn, processesEnd } from './processes.js';
import { QmpProxy } from './qmp-proxy.js';

const killed = 137;
const interrupted = 130;
const unavailable = 7;
const noSpace = 8;

/** Longer than the uploader waits for an answer: by then it has given up. */
const quitTimeoutMs = 90_000;
/** How long a guard may take, and a flush in the background. */
const endTimeoutMs = 60_000;
/** As long as a socket is gone: the capture gives up before it is back, or not. */
const goneMs = 3_000;
/** Room for a capture of the guest here, not for two. */
const scratchSizeMib = 700;

interface Struck {
  readonly phase: Phase | undefined;
  readonly exitCode: number;
  readonly words: string;
}

export async function inflict(
  kind: Exclude<FaultKind, HdfsFaultKind>,
  fault: FaultCase,
  options: AftermathOptions,
): Promise<FaultOutcome> {
  switch (kind) {
    case 'upload killed':
      return await uploadFault(fault, options, [killed], ({ child }) => {
        child.kill('SIGKILL');
      });
    case 'upload and guard killed':
      return await uploadFault(fault, { ...options, isHealedByNext: true }, [killed], (running) => {
        killWithGuard(running, fault.folder);
      });
    case 'interrupted':
      return await uploadFault(
        fault,
        { ...options, isEmptyAtOnce: true },
        [interrupted],
        (running) => {
          running.child.kill('SIGINT');
        },
      );
    case 'hook killed':
      return await hookFault(fault, options, false);
    case 'hook and guard killed':
      return await hookFault(fault, options, true);
    case 'scratch full':
      return await fullScratch(fault, options);
    case 'connection cut':
      return await lostConnection(fault, options, (proxy) => {
        proxy.cut();
        return Promise.resolve();
      });
    case 'socket gone':
      return await lostConnection(fault, options, async (proxy) => {
        proxy.unlink();
        await sleep(goneMs);
        await proxy.listen();
      });
    case 'VM ended':
      return await uploadFault(fault, { ...options, isVmGone: true }, [unavailable], () => {
        // It may end before it answers.
        void fault.live.guest.qmp('quit').catch(() => undefined);
        killLater(fault.live.guest);
      });
  }
}

/** Who ends a VM kills a QEMU that does not end, as libvirt does; before 8.1 it may hang while it saves in the background. */
function killLater({ pid, qmpSocketPath }: Pick<Guest, 'pid' | 'qmpSocketPath'>): void {
  setTimeout(() => {
    try {
      if (readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(qmpSocketPath)) {
        process.kill(pid, 'SIGKILL');
      }
    } catch {
      // It has ended by itself.
    }
  }, quitTimeoutMs).unref();
}

interface UploadFaultOptions extends AftermathOptions {
  readonly qmpPath?: string;
  /** Nobody puts the VM right before. */
  readonly isHealedByNext?: boolean;
  readonly isVmGone?: boolean;
  /** The uploader itself had time to remove all. */
  readonly isEmptyAtOnce?: boolean;
}

async function uploadFault(
  fault: FaultCase,
  options: UploadFaultOptions,
  exitCodes: readonly number[],
  strike: (running: RunningCommand) => Promise<void> | void,
): Promise<FaultOutcome> {
  const { scratch, storeUrl, folder, live } = fault;
  const running = startPars(uploadWords(fault, options.qmpPath), { storeUrl });
  const current = (): Phase => phaseOf(scratch, scratch);
  const { phase, exitCode, words } = await struck(fault, running, current, strike);
  const found = exitFindings(phase, exitCode, exitCodes, words);
  if (options.isEmptyAtOnce === true && namesIn(scratch).length > 0) {
    found.push(`left when it had ended: ${namesIn(scratch).join(' ')}`);
  }
  if (options.isHealedByNext !== true) {
    if (!(await processesEnd(folder, endTimeoutMs))) {
      found.push('a process of ours is still at work');
    }
    found.push(...(options.isVmGone === true ? [] : await live.findings()));
  }
  return { phase, wrong: [...found, ...(await aftermathOf(fault, options))] };
}

async function struck(
  { moment }: FaultCase,
  running: RunningCommand,
  current: () => Phase,
  strike: (running: RunningCommand) => Promise<void> | void,
): Promise<Struck> {
  const isInTime = await untilMoment(moment, current, running.hasEnded);
  const phase = isInTime ? current() : undefined;
  if (isInTime) {
    await strike(running);
  }
  const { exitCode, stderr, stdout } = await running.ended;
  return { phase, exitCode, words: `${stderr.trim()} ${stdout.trim()}` };
}

function exitFindings(
  phase: Phase | undefined,
  exitCode: number,
  expected: readonly number[],
  words: string,
): string[] {
  // It may have had all it needed.
  return [0, ...(phase === undefined ? [] : expected)].includes(exitCode)
    ? []
    : [`it ended with ${exitCode}: ${words}`];
}

function killWithGuard({ child }: RunningCommand, folder: string): void {
  child.kill('SIGKILL');
  for (const pid of guardsIn(folder)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
}

/** A capture that was whole is stored once, by the flush; one that was not, never. */
async function hookFault(
  fault: FaultCase,
  options: AftermathOptions,
  withGuard: boolean,
): Promise<FaultOutcome> {
  const { folder, spool, storeUrl, live } = fault;
  const running = startPars(hookWords(fault));
  const current = (): Phase => phaseOf(join(spool, 'incoming'), join(spool, 'entries'));
  const { phase, exitCode, words } = await struck(fault, running, current, () => {
    if (withGuard) {
      killWithGuard(running, folder);
    } else {
      running.child.kill('SIGKILL');
    }
  });
  const found = exitFindings(phase, exitCode, [killed], words);
  const isSpooled = namesIn(join(spool, 'entries')).length > 0 || exitCode === 0;
  const isKilled = withGuard && exitCode !== 0;
  if (!isKilled) {
    // A hook that came to its end has left a flush at work, beside which ours would end with 7.
    if (!(await processesEnd(folder, endTimeoutMs))) {
      found.push('a process of ours is still at work');
    }
    found.push(...(await live.findings()));
  }
  const flush = await runPars(['hook', 'flush', '--config', fault.config]);
  await processesEnd(folder, endTimeoutMs);
  if (flush.exitCode !== 0) {
    found.push(`pars hook flush ended with ${flush.exitCode}: ${flush.stderr.trim()}`);
  }
  found.push(...(await live.findings()).map((finding) => `after the flush, ${finding}`));
  found.push(...(await spoolFindings(fault)));
  const list = await runPars(['list', '--json'], { storeUrl });
  const count = list.exitCode === 0 ? listAnswer.parse(list.json).length : 0;
  if (count !== (isSpooled ? 1 : 0)) {
    found.push(`expected ${isSpooled ? 1 : 0} snapshots in the store, found ${count}`);
  }
  return { phase, wrong: [...found, ...(await aftermathOf(fault, options))] };
}

/** What is wrong with the spool, which should be empty. */
export async function spoolFindings({ config }: FaultCase): Promise<readonly string[]> {
  const { stdout } = await runPars(['hook', 'list', '--json', '--config', config]);
  return stdout.trim() === '[]' ? [] : [`left in the spool: ${stdout}`];
}

async function fullScratch(fault: FaultCase, options: AftermathOptions): Promise<FaultOutcome> {
  const unmount = mountTinyDisk(fault.scratch, scratchSizeMib);
  const filler = join(fault.scratch, 'filler');
  try {
    return await uploadFault(fault, options, [noSpace], async ({ ended }) => {
      // It ends when there is no more room.
      spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=1M']);
      await ended;
      rmSync(filler);
    });
  } finally {
    unmount();
  }
}

async function lostConnection(
  fault: FaultCase,
  options: AftermathOptions,
  lose: (proxy: QmpProxy) => Promise<void>,
): Promise<FaultOutcome> {
  const proxy = new QmpProxy(join(fault.folder, 'qmp.sock'), fault.live.guest.qmpSocketPath);
  await proxy.listen();
  try {
    return await uploadFault(fault, { ...options, qmpPath: proxy.path }, [unavailable], () =>
      lose(proxy),
    );
  } finally {
    proxy.unlink();
  }
}
