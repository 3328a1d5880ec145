// Dependencies point one way: introspection stands alone, and within src/ planning and formats know nothing of stores but what a
// redundancy is.
import { importGraph } from './tidy/imports.js';
import { filesBelow } from './tidy/source-files.js';

/** For each folder, the folders it may import from, besides itself and packages. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  introspect: [],
  'src/units': [],
  'src/flow': ['introspect'],
  'src/host': ['introspect', 'src/flow'],
  // Of src/store: what a redundancy is.
  'src/report': ['introspect', 'src/flow', 'src/manifest', 'src/plan', 'src/store', 'src/text'],
  'src/measure': [
    'introspect',
    'src/catalog',
    'src/disk',
    'src/flow',
    'src/loss',
    'src/manifest',
    'src/pack',
    'src/plan',
    'src/report',
    'src/restore',
    'src/snapshot',
    'src/store',
    'src/verify',
  ],
  'src/disk': ['introspect', 'src/flow', 'src/host'],
  // Of src/manifest: what a disk may be called, and what tells VMs apart.
  'src/vm': ['introspect', 'src/flow', 'src/host', 'src/manifest'],
  'src/pack': ['introspect', 'src/flow', 'src/host'],
  // Of src/store: what a redundancy is.
  'src/manifest': ['introspect', 'src/flow', 'src/pack', 'src/store'],
  'src/plan': ['introspect', 'src/pack', 'src/store'],
  'src/loss': ['introspect', 'src/manifest', 'src/pack'],
  'src/pages': ['introspect', 'src/flow', 'src/loss', 'src/manifest', 'src/pack', 'src/store'],
  'src/store': ['introspect', 'src/flow'],
  'src/catalog': ['introspect', 'src/flow', 'src/manifest', 'src/store', 'src/text'],
  // Of src/vm: what a capture gives.
  'src/spool': ['introspect', 'src/flow', 'src/host', 'src/vm'],
  'src/hook': [
    'introspect',
    'src/catalog',
    'src/disk',
    'src/flow',
    'src/host',
    'src/manifest',
    // What a codec may be called.
    'src/pack',
    'src/spool',
    // What a store's URL may be, and what of it is secret.
    'src/store',
    'src/text',
    'src/units',
    'src/vm',
  ],
  'src/snapshot': [
    'introspect',
    'src/catalog',
    'src/disk',
    'src/flow',
    'src/host',
    'src/manifest',
    'src/pack',
    'src/plan',
    // Of a capture that is kept: its form, its name and its locks are the spool's too.
    'src/spool',
    'src/store',
    'src/text',
    'src/vm',
  ],
  'src/restore': [
    'introspect',
    'src/disk',
    'src/flow',
    'src/host',
    'src/loss',
    'src/manifest',
    'src/pack',
    'src/pages',
    'src/store',
    'src/vm',
  ],
  'src/verify': [
    'introspect',
    'src/catalog',
    'src/flow',
    'src/loss',
    'src/manifest',
    'src/pack',
    'src/pages',
    'src/store',
  ],
  'src/text': [],
};

/** `src/pack` of `src/pack/layout.ts`, `introspect` of `introspect/mm/zones/zone.ts`. */
function folderOf(path: string): string {
  const parts = path.split('/');
  return parts[0] === 'src' ? parts.slice(0, 2).join('/') : parts[0];
}

test.each(Object.keys(allowed))('%s imports only what stands below it', (folder) => {
  const sources = filesBelow(folder).filter((path) => path.endsWith('.ts'));
  expect(sources.length).toBeGreaterThan(0);
  const wrong = [...importGraph(sources)].flatMap(([source, imports]) =>
    imports
      .map(folderOf)
      .filter((target) => target !== folder && !allowed[folder].includes(target))
      .map((target) => `${source} imports from ${target}`),
  );
  expect(wrong).toEqual([]);
});

test('every folder of src but the command line has its rule', () => {
  const folders = new Set(
    filesBelow('src')
      .filter((path) => path.split('/').length > 2)
      .map(folderOf),
  );
  expect([...folders].filter((folder) => !(folder in allowed))).toEqual(['src/cli']);
});
