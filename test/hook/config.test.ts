// pars.yaml: what is understood, and that what is not is told by key and line.
import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { parseConfig, readConfig } from '../../src/hook/config.js';
import { formatDuration, parseDuration } from '../../src/units/duration.js';
import { makeTemporaryFolder } from '../e2e/temporary-folder.js';
import { otherUser, testAsRoot } from '../host/other-user.js';

const wrongText = (text: string): string => {
  try {
    parseConfig(text, 'pars.yaml');
  } catch (error) {
    expect(error).toMatchObject({ code: 'usage' });
    return error instanceof Error ? error.message : '';
  }
  throw new Error('expected the configuration to be refused');
};

test('a store is enough, the rest has defaults', () => {
  expect(parseConfig('store: file:///srv/pars', 'pars.yaml')).toEqual({
    path: 'pars.yaml',
    store: 'file:///srv/pars',
    policy: 'strict',
    spool: { path: '/var/spool/pars', maxSizeBytes: undefined, maxAgeMs: undefined },
    upload: { timeoutMs: 6 * 3_600_000, bandwidthBytesPerSecond: undefined, codec: 'auto' },
    capture: { maxDowntimeMs: undefined, bandwidthBytesPerSecond: undefined, withDisks: true },
    retention: undefined,
    metrics: { textfilePath: undefined },
    vms: {},
    libvirt: { uri: 'qemu:///system', disks: true },
    log: { level: 'info' },
  });
});

test('durations and sizes are taken with their units', () => {
  const config = parseConfig(
    stringify({
      store: 'webhdfs://nn1:9870,nn2:9870/pars',
      policy: '/etc/pars/policy.yaml',
      spool: { path: '/spool', maxSize: '20G', maxAge: '7d' },
      upload: { timeout: '90s', bandwidth: '50M', codec: 'zstd' },
      capture: { maxDowntime: '500ms', bandwidth: '1.5G', withDisks: false },
      retention: { keepDaily: 7 },
      metrics: { textfile: '/metrics/pars.prom' },
      vms: { web: { qmp: '/run/web.qmp', machine: '/etc/web.json', policy: 'lean', disks: false } },
      libvirt: { uri: 'qemu:///session', disks: false },
      log: { level: 'debug' },
    }),
    'pars.yaml',
  );
  expect(config).toMatchObject({
    spool: { path: '/spool', maxSizeBytes: 20 * 2 ** 30, maxAgeMs: 7 * 86_400_000 },
    upload: { timeoutMs: 90_000, bandwidthBytesPerSecond: 50 * 2 ** 20, codec: 'zstd:3' },
    capture: { maxDowntimeMs: 500, bandwidthBytesPerSecond: 1.5 * 2 ** 30, withDisks: false },
    retention: { keepDaily: 7 },
    vms: { web: { qmp: '/run/web.qmp', policy: 'lean', disks: false } },
    libvirt: { uri: 'qemu:///session', disks: false },
  });
});

test.each([
  [
    'a store that ends with the process',
    'store: memory:a',
    'line 1: store: expected a URL that begins with file://, webhdfs://, swebhdfs:// or hdfs://',
  ],
  [
    'an unknown codec',
    'store: file:///a\nupload:\n  codec: gzip',
    'line 3: upload.codec: expected auto, raw, lz4, zstd or zstd:LEVEL, a level from 1 to 19, found "gzip"',
  ],
  ['an unknown key', 'store: file:///a\n\npolcy: lean', 'line 3: polcy: this key is not known'],
  [
    'an unknown key further in',
    'store: file:///a\nspool:\n  path: /a\n  maxsize: 2G',
    'line 4: spool.maxsize: this key is not known',
  ],
  [
    'a VM with an unknown key',
    'store: file:///a\nvms:\n  web:\n    socket: /a',
    'line 4: vms.web.socket: this key is not known',
  ],
  [
    'a VM whose name is none',
    'store: file:///a\nvms:\n  "a/b": {}',
    'line 3: vms.a/b: expected the name of a VM',
  ],
  [
    'a duration without a unit',
    'store: file:///a\nupload:\n  timeout: "90"',
    'line 3: upload.timeout: expected a duration such as 90s, 5m, 24h or 7d, found "90"',
  ],
  [
    'a number for a duration',
    'store: file:///a\nupload: {timeout: 90}',
    'line 2: upload.timeout: expected a duration',
  ],
  [
    'a size of nothing',
    'store: file:///a\nspool: {maxSize: 0G}',
    'line 2: spool.maxSize: expected a size such as 800M or 20G, found "0G"',
  ],
  [
    'a relative path',
    'store: file:///a\nspool: {path: spool}',
    'line 2: spool.path: expected an absolute path',
  ],
  ['no store', 'policy: lean', 'line 1: store: expected the URL of a store'],
  ['nothing at all', '', 'line 1: store: expected the URL of a store'],
  ['another store', 'store: s3://bucket', 'line 1: store: expected a URL that begins with'],
  ['no rule', 'store: file:///a\nretention: {}', 'line 2: retention: expected a rule'],
  [
    'nothing to keep',
    'store: file:///a\nretention: {keepLast: 0}',
    'line 2: retention.keepLast: expected at least 1',
  ],
  [
    'a key twice',
    'store: file:///a\npolicy: lean\npolicy: disk',
    'line 3: Map keys must be unique',
  ],
  ['no YAML', 'store: file:///a\npolicy: [', 'line 2: '],
  ['a list', '- store', 'line 1: '],
])('%s is refused with its line', (_, text, message) => {
  expect(wrongText(text)).toContain(message);
});

test('every problem is told, from top to bottom', () => {
  expect(wrongText('a: 1\npolicy: relative/path\nspool: {path: b}\nzz: 2')).toMatch(
    /line 1: store: .*line 1: a: .*line 2: policy: .*line 3: spool\.path: .*line 4: zz: /,
  );
});

test('an unknown key is found on its line, wherever it stands', () => {
  const known = ['store: file:///a', 'policy: lean', 'log:', '  level: warn'];
  fc.assert(
    fc.property(fc.nat({ max: 2 }), fc.nat({ max: 5 }), (at, blankCount) => {
      const blank = Array.from({ length: blankCount }, () => '# more');
      const lines = known.toSpliced(at, 0, ...blank, 'unheard: of');
      expect(wrongText(lines.join('\n'))).toBe(
        `the configuration pars.yaml: line ${at + blankCount + 1}: unheard: this key is not known`,
      );
    }),
  );
});

test('a file that is not there says how to name another', async () => {
  await expect(readConfig('/nonexistent/pars.yaml')).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringMatching(
      /\/nonexistent\/pars\.yaml.*--config FILE.*PARS_CONFIG/,
    ) as string,
  });
});

test('a duration reads as it was written', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 ** 9 }), (durationMs) => {
      expect(parseDuration(formatDuration(durationMs))).toBe(durationMs);
    }),
  );
});

testAsRoot(
  'a configuration, or its policy, that others could have written is not read',
  async () => {
    const folder = await makeTemporaryFolder();
    try {
      const policy = join(folder.path, 'policy.yaml');
      const path = join(folder.path, 'pars.yaml');
      writeFileSync(policy, '');
      writeFileSync(path, `store: file:///srv/pars\npolicy: ${policy}\n`);
      expect(await readConfig(path)).toMatchObject({ policy });
      for (const file of [path, policy]) {
        chmodSync(file, 0o666);
        await expect(readConfig(path)).rejects.toMatchObject({
          code: 'usage',
          message: expect.stringContaining(`chmod go-w ${file}`) as string,
        });
        chmodSync(file, 0o644);
        chownSync(file, otherUser, otherUser);
        await expect(readConfig(path)).rejects.toMatchObject({
          code: 'usage',
          message: expect.stringContaining('(65534)') as string,
        });
        chownSync(file, 0, 0);
      }
    } finally {
      await folder.remove();
    }
  },
);
