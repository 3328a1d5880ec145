import { setTimeout as delay } from 'node:timers/promises';
import { BusyProcessors } from '../../src/host/busy-processors.js';

test('what this process does counts for its part of the processors', async () => {
  const processors = new BusyProcessors();
  expect(processors.seconds()).toBe(0);
  const { user, system } = process.cpuUsage();
  let spentMs = 0;
  while (spentMs < 400) {
    const now = process.cpuUsage();
    spentMs = (now.user - user + now.system - system) / 1000;
  }
  await delay(110);
  const busy = processors.seconds();
  // Of one in 64 at the least, and a part of the time that has gone by at the most.
  expect(busy).toBeGreaterThan(0.3 / 64);
  expect(processors.seconds()).toBeGreaterThanOrEqual(busy);
});
