// The shipped examples are of this program: the configuration is read, with all that stands behind comment signs too; the
// script is one; and systemd takes the units, where it is installed.
import { spawnSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseConfig } from '../../src/hook/config.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../e2e/temporary-folder.js';

const shipped = fileURLToPath(new URL('../../src/hook/shipped', import.meta.url));
const example = readFileSync(join(shipped, 'pars.yaml'), 'utf8');

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await makeTemporaryFolder();
});
afterEach(() => folder.remove());

test('the example configuration is one, with and without its optional keys', () => {
  expect(parseConfig(example, 'pars.yaml')).toMatchObject({ retention: undefined, vms: {} });
  const whole = example.replaceAll(/^( *)# ( *[a-zA-Z]+:.*)$/gm, '$1$2');
  expect(parseConfig(whole, 'pars.yaml')).toMatchObject({
    spool: { maxSizeBytes: 200 * 2 ** 30, maxAgeMs: 7 * 86_400_000 },
    upload: { bandwidthBytesPerSecond: 50 * 2 ** 20, codec: 'auto' },
    retention: { keepLast: 3, keepHourly: 24, keepDaily: 7, keepWeekly: 4, keepMonthly: 12 },
    vms: { web: { policy: 'lean', disks: false } },
    log: { level: 'info' },
  });
});

test('the example script is one', () => {
  expect(spawnSync('sh', ['-n', join(shipped, 'hook-run-example.sh')]).status).toBe(0);
});

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;
// A host without systemd has no use for units either.
(hasSystemd ? test : test.skip)('systemd takes the units', () => {
  const units = readdirSync(shipped).filter((name) => /\.(?:service|timer)$/.test(name));
  expect(units.length).toBeGreaterThan(0);
  for (const unit of units) {
    copyFileSync(join(shipped, unit), join(folder.path, unit));
  }
  const instances = units.map((unit) => join(folder.path, unit.replace('@.', '@srv-dumps.')));
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', ...instances], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});
