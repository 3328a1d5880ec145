// Reading a domain, and what is refused.
import { ParsError } from '../../../introspect/pars-error.js';
import { parseDomainXml } from '../../../src/vm/libvirt/domain-xml.js';
import { sampleDomain } from './sample-domain.js';

test('a domain gives its name, memory and disks', () => {
  const absent = { isReadOnly: false, isShared: false, isEncrypted: false };
  expect(parseDomainXml(sampleDomain, 'sample')).toEqual({
    name: 'web & mail',
    uuid: 'd47c9da9-3465-4119-8831-c70d4113f209',
    memorySizeBytes: 2 ** 28,
    disks: [
      {
        ...absent,
        target: 'vda',
        device: 'disk',
        sourceType: 'file',
        sourcePath: "/images/a'b.qcow2",
        format: 'qcow2',
      },
      {
        ...absent,
        target: 'vdb',
        device: 'disk',
        sourceType: 'block',
        sourcePath: '/dev/vg/data',
        format: 'raw',
        isShared: true,
      },
      {
        ...absent,
        target: 'sda',
        device: 'cdrom',
        sourceType: 'file',
        sourcePath: undefined,
        format: 'raw',
        isReadOnly: true,
      },
      {
        ...absent,
        target: 'vdc',
        device: 'disk',
        sourceType: 'network',
        sourcePath: undefined,
        format: 'raw',
        isEncrypted: true,
      },
    ],
  });
});

test.each([
  ['512', 'MiB', 2 ** 29],
  ['512', 'MB', 512e6],
  ['1', 'G', 2 ** 30],
])('a memory of %s %s is %d bytes', (count, unit, sizeBytes) => {
  const text = `<domain><name>a</name><memory unit='${unit}'>${count}</memory></domain>`;
  expect(parseDomainXml(text, 'it').memorySizeBytes).toBe(sizeBytes);
});

const named = '<name>a</name><memory>1</memory>';
test.each([
  ['is empty', '', /expected XML/],
  ['is no XML', 'name: a', /line 1/],
  ['has tags that do not match', `<domain>${named}<devices></domain>`, /devices/],
  ['is cut short', sampleDomain.slice(0, -20), /expected XML/],
  ['is another element', '<network><name>a</name></network>', /expected <domain>, found network/],
  ['has no name', '<domain><memory>1</memory></domain>', /<name>/],
  ['has a memory of words', '<domain><name>a</name><memory>much</memory></domain>', /much KiB/],
  [
    'has a unit with a name of Object',
    `<domain><name>a</name><memory unit='constructor'>1</memory></domain>`,
    /1 constructor/,
  ],
  [
    'brings entities of its own',
    `<!DOCTYPE d [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><domain>${named}</domain>`,
    /document type/,
  ],
  ['is deeper than any domain', `${'<a>'.repeat(500)}${'</a>'.repeat(500)}`, /it: /],
  ['is longer than any domain', `<domain>${named}${' '.repeat(5e6)}</domain>`, /at most 4194304/],
  ['has an element __proto__', `<domain>${named}<__proto__ a='1'/></domain>`, /it: /],
])('XML that %s is refused', (_, text, message) => {
  expect(() => parseDomainXml(text, 'it')).toThrow(ParsError);
  expect(() => parseDomainXml(text, 'it')).toThrow(message);
});
