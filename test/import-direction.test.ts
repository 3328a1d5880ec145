// Dependencies point one way: introspection stands alone, and within src/ planning and formats know nothing of stores.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

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
    'src/flow',
    'src/loss',
    'src/manifest',
    'src/pack',
    'src/plan',
    'src/report',
    'src/store',
    'src/verify',
  ],
  'src/disk': ['introspect', 'src/flow', 'src/host'],
  // Of src/manifest: what a disk may be called.
  'src/vm': ['introspect', 'src/flow', 'src/host', 'src/manifest'],
  'src/pack': ['introspect', 'src/flow', 'src/host'],
  'src/manifest': ['introspect', 'src/flow', 'src/pack'],
  'src/plan': ['introspect', 'src/pack'],
  'src/loss': ['introspect', 'src/manifest', 'src/pack'],
  'src/pages': ['introspect', 'src/flow', 'src/loss', 'src/manifest', 'src/pack', 'src/store'],
  'src/store': ['introspect', 'src/flow'],
  'src/catalog': ['introspect', 'src/flow', 'src/manifest', 'src/store', 'src/text'],
  'src/spool': ['introspect', 'src/flow', 'src/host'],
  'src/hook': [
    'introspect',
    'src/catalog',
    'src/disk',
    'src/flow',
    'src/host',
    'src/manifest',
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
    'src/manifest',
    'src/pack',
    'src/plan',
    'src/store',
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

function sourcesBelow(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(root, folder, name));
}

function importsOf(path: string): readonly string[] {
  const text = readFileSync(path, 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1]);
}

/** `src/pack` of `src/pack/layout.ts`, `introspect` of `introspect/mm/zones/zone.ts`. */
function folderOf(path: string): string {
  const parts = relative(root, path).split('/');
  return parts[0] === 'src' ? parts.slice(0, 2).join('/') : parts[0];
}

test.each(Object.keys(allowed))('%s imports only what stands below it', (folder) => {
  const sources = sourcesBelow(folder);
  expect(sources.length).toBeGreaterThan(0);
  const wrong = sources.flatMap((source) =>
    importsOf(source)
      .filter((name) => name.startsWith('.'))
      .map((name) => folderOf(resolve(dirname(source), name)))
      .filter((target) => target !== folder && !allowed[folder].includes(target))
      .map((target) => `${relative(root, source)} imports from ${target}`),
  );
  expect(wrong).toEqual([]);
});

test('every folder of src but the command line has its rule', () => {
  const folders = readdirSync(join(root, 'src'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `src/${entry.name}`);
  expect(folders.filter((folder) => !(folder in allowed))).toEqual(['src/cli']);
});
