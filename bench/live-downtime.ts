// Question: for how long does a VM stand still for a live snapshot, where does the time go, and what does it win to join
//   its RAM into huge pages before, or else to stop the VM while QEMU touches its pages, and not before?
// Method: guests under load whose RAM is mostly in use; moments as src/vm/capture takes them, of RAM alone, of RAM and both
//   disks with the stop first, and with the stop late. QEMU's own trace says when each step ended; a step is counted as
//   far as the VM stood still. What QEMU saves afterwards is read and dropped. The orders take turns within a round.
// Non-goals: what the guest loses while it runs on (live-slowdown.ts); what becomes of the snapshot (test/live).
// Run: npm run bench -- live-downtime [ROUNDS], with nothing else on the machine
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { putRight } from '../src/vm/capture/clean-up/put-right.js';
import { prepareFilters } from '../src/vm/capture/disks/save-disks.js';
import { receiveStream } from '../src/vm/capture/guard/receive-stream.js';
import { applySettings, untilCompleted } from '../src/vm/capture/migration.js';
import { joinHugePages } from '../src/vm/capture/ram/huge-pages.js';
import { lateStopMs } from '../src/vm/capture/ram/save-in-background.js';
import { type Moment, takeMoment } from '../src/vm/capture/take-moment.js';
import { readVmFacts, type VmFacts } from '../src/vm/capture/vm-facts.js';
import { QmpClient } from '../src/vm/qmp/qmp-client.js';
import { bootGuest } from '../test/guest/guest.js';
import { downtimeSteps, readDowntimeSteps, traceArguments } from './downtime-trace.js';
import { formatSpread } from './samples.js';

const rounds = Number(process.argv[2] ?? 10);
const ramSizesMib = [512, 1024, 2048];
const orders = [
  'RAM alone',
  'RAM alone, huge pages',
  'RAM and 2 disks, stop first',
  'RAM and 2 disks, stop late',
  'RAM and 2 disks, huge pages',
] as const;
const restMs = 500;

type Order = (typeof orders)[number];

for (const ramSizeMib of ramSizesMib) {
  const folder = await mkdtemp(join(tmpdir(), 'pars-bench-'));
  const tracePath = join(folder, 'trace');
  const guest = await bootGuest({
    workload: 'live',
    hasPrivateRam: true,
    ramSizeMib,
    qemuArguments: traceArguments(tracePath),
  });
  const qmp = await QmpClient.connect(guest.qmpSocketPath);
  try {
    // Most of the RAM has been in use, as that of a VM has that has been up for a while.
    await guest.command(`press ${Math.floor(ramSizeMib * 0.7)}`);
    const facts = await readVmFacts(qmp);
    const samples = new Map<Order, Readonly<Record<string, number>>[]>();
    const downtimes = new Map<Order, number[]>();
    const together = new Map<Order, number>();
    for (let round = 0; round < rounds; round++) {
      for (const order of orders) {
        await sleep(restMs);
        const moment = await takeOne(qmp, guest.pid, facts, order, folder);
        add(downtimes, order, (moment.resumedMicroseconds - moment.stoppedMicroseconds) / 1000);
        add(samples, order, readDowntimeSteps(tracePath, moment));
        together.set(order, (together.get(order) ?? 0) + (moment.isOne ? 1 : 0));
      }
    }
    console.log(`\n${ramSizeMib} MiB, ${rounds} rounds, milliseconds, median (min - max)`);
    for (const order of orders) {
      console.log(`  ${order}: stood still for ${formatSpread(downtimes.get(order) ?? [], 1)}`);
      console.log(`    in one moment: ${together.get(order)} of ${rounds}`);
      for (const step of downtimeSteps) {
        const values = (samples.get(order) ?? []).map((sample) => sample[step]);
        if (Math.max(...values) > 0) {
          console.log(`    ${step.padEnd(18)} ${formatSpread(values, 1)}`);
        }
      }
    }
  } finally {
    qmp.close();
    await guest.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function add<T>(all: Map<Order, T[]>, order: Order, value: T): void {
  all.set(order, [...(all.get(order) ?? []), value]);
}

async function takeOne(
  qmp: QmpClient,
  pid: number,
  facts: VmFacts,
  order: Order,
  folder: string,
): Promise<Moment> {
  const disks = order.startsWith('RAM alone') ? [] : facts.disks;
  await prepareFilters(qmp, disks, folder);
  await applySettings(qmp, facts, 'background-snapshot');
  const { signal } = new AbortController();
  const inSmallPages = order.endsWith('huge pages')
    ? await joinHugePages(pid, signal)
    : facts.ramSizeBytes;
  const stream = await receiveStream(join(folder, 'stream.sock'), undefined);
  try {
    const moment = await takeMoment({
      qmp,
      uri: stream.uri,
      disks,
      stopAfterMs: order.includes('stop first')
        ? undefined
        : lateStopMs(facts.ramSizeBytes, inSmallPages),
    });
    await untilCompleted(qmp, signal);
    return moment;
  } finally {
    stream.close();
    await putRight(qmp);
    for (const index of disks.keys()) {
      await rm(join(folder, `overwritten-${index}`));
    }
  }
}
