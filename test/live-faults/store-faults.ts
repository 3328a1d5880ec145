// The faults of an HDFS around `pars hook run`, which captures into the spool, and the flush that it starts: whatever
// happens to the store, the snapshot is in the spool until it is in the store, and it gets there once.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listAnswer } from '../e2e/command-answers.js';
import { runPars, startPars } from '../e2e/pars-command.js';
import type { HdfsCluster } from '../hdfs/cluster.js';
import { aftermathOf, type AftermathOptions } from './aftermath.js';
import { type FaultCase, type FaultOutcome, hookWords, namesIn } from './fault-case.js';
import type { HdfsFaultKind } from './kinds.js';
import { type Phase, phaseOf, untilMoment } from './moments.js';
import { processesEnd } from './processes.js';

/** A client tries a NameNode that is away for some minutes at most. */
const giveUpTimeoutMs = 600_000;
/** The spool waits a while before it tries again. */
const sendTimeoutMs = 300_000;
const retryMs = 2_000;

export async function inflictOnHdfs(
  kind: HdfsFaultKind,
  fault: FaultCase,
  cluster: HdfsCluster,
  options: AftermathOptions,
): Promise<FaultOutcome> {
  const { folder, spool, live, moment, random } = fault;
  const dataNode = cluster.dataNodes[Math.floor(random() * cluster.dataNodes.length)];
  const running = startPars(hookWords(fault));
  const current = (): Phase => phaseOf(join(spool, 'incoming'), join(spool, 'entries'));
  // What is spooled is sent in the background, so the fault may come after the command.
  const isSent = (): boolean => running.hasEnded() && namesIn(join(spool, 'entries')).length === 0;
  const isInTime = await untilMoment(moment, current, isSent);
  const phase = isInTime ? current() : undefined;
  await (kind === 'NameNode killed' ? cluster.killNameNode() : dataNode.kill());
  const found: string[] = [];
  try {
    const { exitCode, stderr } = await running.ended;
    if (exitCode !== 0) {
      found.push(`pars hook run ended with ${exitCode}: ${stderr.trim()}`);
    }
    if (!(await processesEnd(folder, giveUpTimeoutMs))) {
      found.push('the flush in the background does not end');
    }
    found.push(...(await live.findings()));
  } finally {
    await (kind === 'NameNode killed' ? cluster.restartNameNode() : dataNode.restart());
    await cluster.waitForLiveDataNodes(cluster.dataNodes.length);
  }
  found.push(...(await sentFindings(fault)));
  return { phase, wrong: [...found, ...(await aftermathOf(fault, options))] };
}

/** The spool becomes empty, and the snapshot is in the store, once. */
async function sentFindings({ config, spool, storeUrl }: FaultCase): Promise<readonly string[]> {
  const deadlineMs = Date.now() + sendTimeoutMs;
  while (namesIn(join(spool, 'entries')).length > 0) {
    if (Date.now() > deadlineMs) {
      const { stdout } = await runPars(['hook', 'list', '--config', config]);
      return [`the spool does not become empty: ${stdout}`];
    }
    await runPars(['hook', 'flush', '--retry-failed', '--config', config]);
    await sleep(retryMs);
  }
  const list = await runPars(['list', '--json'], { storeUrl });
  const count = list.exitCode === 0 ? listAnswer.parse(list.json).length : 0;
  return count === 1 ? [] : [`expected one snapshot in the store, found ${count}`];
}
