// Files of Hadoop's configuration as people write them, and as they should not.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Configuration } from '../../../../src/store/hadoop/configuration/configuration.js';
import { findConfigurationFolder } from '../../../../src/store/hadoop/configuration/folder.js';
import { readConfiguration } from '../../../../src/store/hadoop/configuration/read-configuration.js';
import { maxResourceBytes } from '../../../../src/store/hadoop/configuration/resource.js';
import { errorOf } from '../../error-of.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pars-conf-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function put(name: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), text);
}

async function read(): Promise<Configuration> {
  const found = await readConfiguration({ HADOOP_CONF_DIR: folder });
  if (found === undefined) {
    throw new Error('nothing was read');
  }
  return found;
}

const site = (...parts: readonly string[]) =>
  `<configuration xmlns:xi="http://www.w3.org/2001/XInclude">${parts.join('')}</configuration>`;
const property = (name: string, value: string, more = '') =>
  `<property><name>${name}</name><value>${value}</value>${more}</property>`;

test('a file as distributions ship it is read', async () => {
  await put(
    'core-site.xml',
    `<?xml version="1.0" encoding="UTF-8"?>
<?xml-stylesheet type="text/xsl" href="configuration.xsl"?>
<!-- <property><name>a</name><value>not this</value></property> -->
<configuration>
  <property>
    <name>a</name>
    <value>
      one &amp; two &#x41; <![CDATA[<three>]]></value>
    <description>words</description>
    <final>true</final>
    <source>somewhere</source>
  </property>
  <property name="b" value="short"/>
  <property><name>c</name></property>
  <configuration><property><name>nested</name><value>too</value></property></configuration>
</configuration>
`,
  );
  await put('hdfs-site.xml', site(property('a', 'later'), property('b', 'later')));
  const configuration = await read();
  expect(configuration.text('a')).toBe('one & two A <three>');
  expect(configuration.text('b')).toBe('later');
  expect(configuration.text('c')).toBeUndefined();
  expect(configuration.text('nested')).toBe('too');
});

test('a file includes others, in their place, and does without those that have a fallback', async () => {
  await put(
    'hdfs-site.xml',
    site(
      property('a', '1'),
      property('b', '1'),
      '<xi:include href="more/one.xml"/>',
      property('b', '3'),
      `<xi:include href="none.xml"><xi:fallback>${property('c', 'fallback')}</xi:fallback></xi:include>`,
      '<xi:include href="none.xml"><xi:fallback/></xi:include>',
    ),
  );
  // From where it lies itself.
  await put(
    'more/one.xml',
    site(property('a', '2'), property('b', '2'), `<xi:include href="two.xml"/>`),
  );
  await put('more/two.xml', site(property('d', 'deep')));
  const configuration = await read();
  expect(['a', 'b', 'c', 'd'].map((name) => configuration.text(name))).toEqual([
    '2',
    '3',
    'fallback',
    'deep',
  ]);
});

test.each([
  ['no XML', 'property', 'expected'],
  ['an element that does not end', '<configuration><property></configuration>', 'in line 1'],
  ['another document', '<domain/>', 'expected <configuration>, found <domain>'],
  ['a document type', `<!DOCTYPE x [<!ENTITY a "b">]>${site()}`, 'expected no document type'],
  [
    'an include of itself',
    site('<xi:include href="hdfs-site.xml"/>'),
    'files that include each other',
  ],
  [
    'an include of what is not there',
    site('<xi:include href="none.xml"/>'),
    'none.xml, found none',
  ],
  ['an include without a name', site('<xi:include/>'), 'expected the href'],
  [
    'an include by HTTP',
    site('<xi:include href="http://example.com/a.xml"/>'),
    'http://example.com',
  ],
  [
    'too much',
    `${site()}<!-- ${'x'.repeat(maxResourceBytes)} -->`,
    `at most ${maxResourceBytes} bytes`,
  ],
  ['too deep', site(`${'<a>'.repeat(100)}${'</a>'.repeat(100)}`), 'XML'],
])('%s is refused with the file', async (_, text, words) => {
  await put('hdfs-site.xml', text);
  const error = await errorOf(read());
  expect(error.code).toBe('usage');
  expect(error.message).toContain(join(folder, 'hdfs-site.xml'));
  expect(error.message).toContain(words);
});

test('an empty folder, and one that is named and not there, are refused', async () => {
  expect((await errorOf(read())).message).toContain('expected core-site.xml or hdfs-site.xml');
  const error = await errorOf(readConfiguration({ HADOOP_CONF_DIR: join(folder, 'none') }));
  expect(error.code).toBe('usage');
  expect(error.message).toMatch(/^HADOOP_CONF_DIR: expected a folder .*none, found none/);
});

test('the folder is found in its order', async () => {
  await mkdir(join(folder, 'etc/hadoop'), { recursive: true });
  const home = { HADOOP_HOME: folder };
  const named = { HADOOP_CONF_DIR: folder };
  expect(await findConfigurationFolder({ ...named, ...home })).toBe(folder);
  expect(await findConfigurationFolder(home)).toBe(join(folder, 'etc/hadoop'));
  expect(await findConfigurationFolder({ HADOOP_CONF_DIR: '' }, folder)).toBe(folder);
  expect(await findConfigurationFolder({}, join(folder, 'none'))).toBeUndefined();
  const error = await errorOf(findConfigurationFolder({ HADOOP_HOME: join(folder, 'none') }));
  expect(error.message).toContain('HADOOP_HOME');
});
