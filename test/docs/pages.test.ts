// README stays short, links lead somewhere, and what a page names is there.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadWholeProgram } from '../cli/whole-program.js';
import { anchorsOf, linksOf, pages, pathsNamedIn, root, textOf } from './markdown.js';

const readmeMaxLines = 150;

test('README has at most 150 lines', () => {
  expect(textOf('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(readmeMaxLines);
});

test('links, anchors and names are found in a page', () => {
  const text =
    '# A `b` c, d\n\n## A\n\n## A\n\n[x](y/z.md#a-1) `[no](n.md)` src/pack/.\n\n```\n[no](n)\n```\n`q.ts` `q.json`\n';
  expect(linksOf('docs/p.md', text)).toEqual([
    { to: 'y/z.md#a-1', path: 'docs/y/z.md', fragment: 'a-1' },
  ]);
  expect([...anchorsOf(text)]).toEqual(['a-b-c-d', 'a', 'a-1']);
  expect(pathsNamedIn('docs/p.md', text)).toEqual(['src/pack/', 'docs/q.ts']);
});

test('there are pages, and README leads to each of docs/', () => {
  const topics = pages.filter((page) => page.startsWith('docs/'));
  expect(topics.length).toBeGreaterThan(20);
  const linked = new Set(linksOf('README.md', textOf('README.md')).map(({ path }) => path));
  expect(topics.filter((page) => !linked.has(page))).toEqual([]);
});

test.each(pages)('%s links to files and headings that are there', (page) => {
  const broken = linksOf(page, textOf(page))
    .filter(({ path, fragment }) => {
      if (path === undefined) {
        return false;
      }
      if (!existsSync(join(root, path))) {
        return true;
      }
      return (
        fragment !== undefined && !(path.endsWith('.md') && anchorsOf(textOf(path)).has(fragment))
      );
    })
    .map(({ to }) => to);
  expect(broken).toEqual([]);
});

test.each(pages)('%s names files that are there', (page) => {
  const missing = pathsNamedIn(page, textOf(page)).filter((path) => !existsSync(join(root, path)));
  expect(missing).toEqual([]);
});

test('every folder of src has its line in the architecture', () => {
  const text = textOf('docs/architecture.md');
  const folders = readdirSync(join(root, 'src'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `\`src/${name}/\``);
  expect(folders.length).toBeGreaterThan(10);
  expect(folders.filter((folder) => !text.includes(folder))).toEqual([]);
});

const described = pages
  .filter((page) => page !== 'CHANGELOG.md')
  .map(textOf)
  .join('\n');

test('every command is described', async () => {
  const names = (await loadWholeProgram())
    .flatMap(({ command }) => [command, ...command.commands])
    .map((command) => command.name());
  expect(names.length).toBeGreaterThan(20);
  expect(
    names.filter((name) => !new RegExp(`\\b(?:pars|hook|config) ${name}\\b`).test(described)),
  ).toEqual([]);
});

test('every option is described', async () => {
  const options = (await loadWholeProgram())
    .flatMap(({ command }) => [command, ...command.commands])
    .flatMap((command) => command.options.map(({ long }) => long ?? ''));
  expect(options.length).toBeGreaterThan(50);
  expect(options.filter((name) => !new RegExp(`${name}(?![\\w-])`).test(described))).toEqual([]);
});
