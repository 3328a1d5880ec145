// What `pars` runs, in few files: a command line is at work before two hundred modules could be looked up, one by one.
// The library (`exports` in package.json) stays as the compiler leaves it, a file for each source.
//
// metafile.json says which source is in which file (esbuild.github.io/api, "Metafile"); the tests read it.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '..');
const outFolder = join(root, 'dist/program');

rmSync(outFolder, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: {
    main: 'src/cli/main.ts',
    'frame-worker': 'src/pack/frame-worker.ts',
    'send-pack': 'src/snapshot/send-pack.ts',
    'hdfs-block-sink': 'src/store/hdfs/transfer/block-sink.ts',
    'capture-guard': 'src/vm/capture/guard/capture-guard-main.ts',
  },
  outdir: outFolder,
  bundle: true,
  // What a command loads when it comes to need it stays a file of its own.
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  chunkNames: '[name]-[hash]',
  // They look for files of their own beside them: native code, WebAssembly, the file of a thread.
  external: [
    ...['@bokuweb/zstd-wasm', '@node-rs/crc32', 'koffi', 'pino', 'piscina'],
    // Large, and for reports that are drawn alone.
    ...['@observablehq/plot', '@xmldom/xmldom'],
  ],
  // Packages in the older form ask for Node's own modules by `require`, which a module has not.
  banner: {
    js: "import { createRequire as createRequireOfPackages } from 'node:module'; const require = createRequireOfPackages(import.meta.url);",
  },
  plugins: [{ name: 'one-language', setup: leaveOutLocales }],
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});
writeFileSync(join(outFolder, 'metafile.json'), JSON.stringify(metafile));
writeFileSync(join(outFolder, 'LICENSES.txt'), licences(Object.keys(metafile.inputs)));

/** Zod says what is wrong in fifty languages, half a megabyte to be parsed at each start; pars speaks one. */
function leaveOutLocales({ onLoad }) {
  onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, () => ({ contents: 'export {};' }));
}

/** Of every package that is in the files, as those ask for. */
function licences(inputs) {
  const folders = inputs.map((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]);
  const packages = [...new Set(folders.filter((folder) => folder !== undefined))].sort();
  return packages.map((folder) => `${titleOf(folder)}\n\n${licenceOf(folder)}\n`).join('\n');
}

function titleOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json')));
  return `${name} ${version} (${license})`;
}

function licenceOf(folder) {
  const names = ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license', 'LICENCE', 'License'];
  const found = names.map((name) => join(root, folder, name)).find((path) => existsSync(path));
  // A few packages name theirs and have no text of it.
  return found === undefined ? '(no text in the package)' : readFileSync(found, 'utf8').trim();
}
