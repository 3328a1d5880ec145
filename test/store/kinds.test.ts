// What the table of kinds says of a URL before a store is opened, and what openStore says to anything that is no store's.

import type { CommandContext } from '../../src/cli/shared/run-command.js';
import { disksCommand } from '../../src/cli/store/disks.js';
import { findStoreKind, lastingKinds, storeKindOf, storeKinds } from '../../src/store/kinds.js';
import { openStore } from '../../src/store/open-store.js';
import { copies } from '../../src/store/redundancy.js';

const examples = {
  local: 'file:///srv/pars',
  webHdfs: 'swebhdfs://namenode/pars',
  hdfs: 'hdfs://namenode/pars',
  memory: 'memory:a',
} as const satisfies Record<keyof typeof storeKinds, string>;
const kinds = Object.values(storeKinds);

test('a scheme is of one kind only, and is not written with a colon', () => {
  const schemes = kinds.flatMap((kind) => kind.schemes);
  expect(new Set(schemes).size).toBe(schemes.length);
  for (const scheme of schemes) {
    expect(scheme).toMatch(/^[a-z][a-z0-9+.-]*$/);
  }
});

test('the scheme says the kind, in large letters too', () => {
  for (const [name, url] of Object.entries(examples)) {
    expect(findStoreKind(url)).toBe(name);
    expect(findStoreKind(url.replace(/^[a-z]+/, (scheme) => scheme.toUpperCase()))).toBe(name);
  }
  for (const url of ['', 'a', '/srv/pars', 's3://a/', ':', '://a', 'constructor:a']) {
    expect(findStoreKind(url)).toBeUndefined();
  }
});

test('each kind takes a URL of its own, and no other', () => {
  for (const url of Object.values(examples)) {
    for (const kind of kinds) {
      const check = expect(() => {
        kind.checkUrl(url);
      });
      if (storeKindOf(url) === kind) {
        check.not.toThrow();
      } else {
        check.toThrow(expect.objectContaining({ code: 'usage' }) as Error);
      }
    }
  }
});

test('help shows a form of each scheme', () => {
  for (const { schemes, helpForms } of kinds) {
    expect(helpForms.map((form) => form.slice(0, form.indexOf(':')))).toEqual(schemes);
  }
});

test('a store that ends with the process is opened by who names it, and offered to nobody', async () => {
  const store = await openStore('memory:named');
  await store.write('a', () => [Buffer.from('a')], { redundancy: copies(1), blockSizeBytes: 512 });
  expect(await (await openStore('memory:named')).list('')).toHaveLength(1);
  expect(lastingKinds.flatMap(({ schemes }) => schemes)).toEqual([
    'file',
    'webhdfs',
    'swebhdfs',
    'hdfs',
  ]);
  await expect(openStore('mem:a')).rejects.toMatchObject({
    message: expect.not.stringContaining('memory:') as string,
  });
});

test('only a store on disks of this machine has disks to look at', async () => {
  const context = {} as CommandContext;
  await expect(disksCommand({ store: examples.webHdfs }, context)).rejects.toMatchObject({
    code: 'usage',
    message:
      'expected a store on disks of this machine, file:///folder or ' +
      'file:///?disks=/mount/point/1,/mount/point/2,...; found one by webhdfs: or swebhdfs:',
  });
});

describe('openStore', () => {
  for (const url of ['/srv/pars', 'dfs://name-node:8020/', 's3://bucket', '']) {
    it(`lists the forms it knows when given '${url}'`, async () => {
      await expect(openStore(url)).rejects.toMatchObject({
        code: 'usage',
        message: expect.stringMatching(/file:.*\?disks=.*webhdfs:.*swebhdfs:.*hdfs:/) as string,
      });
    });
  }

  for (const url of ['hdfs://me:secret@host/x?token=secret', '//me:secret@host/x?token=secret']) {
    it(`shows no password of ${url}`, async () => {
      await expect(openStore(url)).rejects.toMatchObject({
        code: 'usage',
        message: expect.not.stringContaining('secret') as string,
      });
    });
  }
});
