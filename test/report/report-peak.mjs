// Loaded before the program with `node --import`: at its end, writes the largest resident set that the process had, in
// KiB, to the file PARS_TEST_PEAK. From the kernel's account of this program alone: what getrusage says would contain the
// process that started it.
import { readFileSync, writeFileSync } from 'node:fs';

process.on('exit', () => {
  const [, peakKib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  writeFileSync(process.env['PARS_TEST_PEAK'] ?? '', peakKib ?? '');
});
