// Other disks in a domain's XML: only they change.
import fc from 'fast-check';
import { parseDomainXml } from '../../../src/vm/libvirt/domain-xml.js';
import { replaceDiskSources } from '../../../src/vm/libvirt/replace-disk-sources.js';
import { parseXml, xmlText } from '../../../src/vm/libvirt/xml-tree.js';
import { sampleDomain } from './sample-domain.js';

/** libvirt's quotes are the only thing that a tree does not keep. */
const quoted = (text: string): string => text.replace(/='([^']*)'/g, '="$1"');

test('a domain without replacements is the same text, but for its quotes', () => {
  expect(replaceDiskSources(sampleDomain, new Map(), 'sample')).toBe(quoted(sampleDomain));
});

test('a replaced disk is a raw file without a chain; nothing else changes', () => {
  const paths = new Map([["/images/a'b.qcow2", '/out/disk-vda.img']]);
  const replaced = replaceDiskSources(sampleDomain, paths, 'sample');
  const expected = quoted(sampleDomain)
    .replace('type="qcow2" cache', 'type="raw" cache')
    .replace(
      /<source file="\/images\/a&apos;b.qcow2"[^]*?<\/source>/,
      '<source file="/out/disk-vda.img"/>',
    )
    .replace(/<backingStore type="file"[^]*<\/backingStore>/, '');
  const withoutGaps = (text: string): string => text.replace(/>\s+</g, '><');
  expect(withoutGaps(replaced)).toBe(withoutGaps(expected));
});

test('a block device becomes a file', () => {
  const paths = new Map([['/dev/vg/data', '/out/b']]);
  const [, disk] = parseDomainXml(replaceDiskSources(sampleDomain, paths, 's'), 's').disks;
  expect(disk).toMatchObject({ sourceType: 'file', sourcePath: '/out/b', target: 'vdb' });
});

test('any path comes back as it was given', () => {
  const path = fc
    .string({ unit: 'binary', minLength: 1 })
    // XML has no way to write other control characters, and a file name has no NUL.
    .filter((text) => !/[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]/.test(text));
  fc.assert(
    fc.property(path, path, (name, newPath) => {
      const text = `<domain><name>a</name><memory>1</memory><devices><disk><source file='/old'/><target dev='a'/></disk></devices></domain>`;
      const once = replaceDiskSources(text, new Map([['/old', name]]), 'it');
      expect(parseDomainXml(once, 'it').disks[0].sourcePath).toBe(name);
      const twice = replaceDiskSources(once, new Map([[name, newPath]]), 'it');
      expect(parseDomainXml(twice, 'it').disks[0].sourcePath).toBe(newPath);
    }),
  );
});

test('a tree that was written out is read as the same tree', () => {
  const tree = fc.letrec<{ element: string; content: string }>((tie) => ({
    element: fc
      .tuple(
        fc.constantFrom('a', 'b:c', 'disk', 'source'),
        fc.dictionary(
          fc.constantFrom('k', 'x:y', 'dev'),
          fc.constantFrom('', ' v ', '&lt;', "'", '>'),
        ),
        fc.array(tie('content'), { maxLength: 3 }),
      )
      .map(([name, attributes, content]) => {
        const words = Object.entries(attributes).map(([key, value]) => ` ${key}="${value}"`);
        return `<${name}${words.join('')}>${content.join('')}</${name}>`;
      }),
    content: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom('text', ' \n ', '&amp;', '<!-- c -->', '<![CDATA[<&]]>', '<?pi x="1"?>'),
      tie('element'),
    ),
  })).element;
  fc.assert(
    fc.property(tree, (text) => {
      const nodes = parseXml(text, 'it');
      expect(parseXml(xmlText(nodes), 'it')).toEqual(nodes);
    }),
  );
});
