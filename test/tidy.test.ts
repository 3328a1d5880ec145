// The shape of the sources: who imports whom, how many files stand together, what comments say, and where tests stand. The rules
// between the folders of src/ are in import-direction.test.ts, those of the pages in docs/. What checks here is in tidy/, each
// with a test that sees it fail.
import { pages, textOf as textOfPage, withoutBlocks } from './docs/markdown.js';
import { circlesIn, folderGraph, foldersOf } from './tidy/circles.js';
import { commentsOf } from './tidy/comments.js';
import { crowdedFolders } from './tidy/crowded.js';
import { leaningWord } from './tidy/doc-words.js';
import { importGraph } from './tidy/imports.js';
import { againstLevels, roomsOf } from './tidy/levels.js';
import { isThere, mentionsIn } from './tidy/mentions.js';
import { namesakesOf, unmirrored } from './tidy/mirror.js';
import { filesBelow, filesInRoot, folders, isCode, textOf } from './tidy/source-files.js';
import { foldersApart, testsApart } from './tidy/unmirrored-tests.js';

/** More do not fit on a screen of a file list beside their folders. */
const fileMaxCount = 15;

/** Folders with more files than that, each with the reason: siblings alike, which nobody reads from first to last. */
const crowdedOnPurpose: readonly string[] = [];

const files = [...folders.flatMap(filesBelow), ...filesInRoot()];
const code = files.filter(isCode);
const sources = ['introspect', 'src'].flatMap(filesBelow).filter((path) => path.endsWith('.ts'));
const imports = importGraph(sources);

test('sources are found, and all that they import is there', () => {
  expect(sources.length).toBeGreaterThan(400);
  const names = [...imports.values()].flat();
  expect(names.length).toBeGreaterThan(1000);
  expect(names.filter((name) => !imports.has(name))).toEqual([]);
});

test('no files import each other in a circle', () => {
  expect(circlesIn(imports)).toEqual([]);
});

test('no folders beside each other import each other in a circle', () => {
  const all = foldersOf(sources);
  expect(all).toContain('src/vm/capture');
  expect(all.flatMap((folder) => circlesIn(folderGraph(imports, folder)))).toEqual([]);
});

test('introspection is built from words upwards', () => {
  const roomOf = roomsOf('introspect', (name) => (name === 'index.ts' ? name : 'words'));
  const levels = ['words', 'memory', 'kernel', 'mm', 'heal', 'label', 'explain', 'index.ts'];
  expect(
    againstLevels(
      imports,
      levels.map((room) => [room]),
      roomOf,
    ),
  ).toEqual([]);
});

test('families of commands share what is in shared/, and nothing else', () => {
  const roomOf = roomsOf('src/cli', () => 'program');
  const rooms = new Set(sources.map(roomOf).filter((room) => room !== undefined));
  const families = [...rooms].filter((room) => room !== 'shared' && room !== 'program');
  expect(families.length).toBeGreaterThan(3);
  expect(againstLevels(imports, [['shared'], families, ['program']], roomOf)).toEqual([]);
});

test(`at most ${fileMaxCount} files stand in a folder`, () => {
  expect(crowdedFolders(sources, fileMaxCount)).toEqual(crowdedOnPurpose);
});

test('tests stand where their sources do', () => {
  const tests = code.filter((path) => path.endsWith('.test.ts'));
  const apart = Object.keys(foldersApart).map((folder) => `test/${folder}`);
  const found = unmirrored(tests, sources, apart);
  const listed = Object.values(testsApart).flat();
  const unlisted = found
    .filter((path) => !listed.includes(path))
    .map((path) => [path, ...namesakesOf(path, sources)].join(' < '));
  expect({ unlisted, gone: listed.filter((path) => !found.includes(path)) }).toEqual({
    unlisted: [],
    gone: [],
  });
  expect(apart.filter((folder) => !files.some((path) => path.startsWith(`${folder}/`)))).toEqual(
    [],
  );
});

describe.each(['src', 'introspect', 'test', 'bench'] as const)('comments of %s', (folder) => {
  const comments = code
    .filter((path) => path.startsWith(`${folder}/`))
    .flatMap((path) => commentsOf(path, textOf(path)).map((comment) => ({ path, ...comment })));

  test('name files that are there', () => {
    expect(comments.length).toBeGreaterThan(20);
    const missing = comments.flatMap(({ path, line, text }) =>
      mentionsIn(text)
        .filter((name) => !isThere(path, name, files))
        .map((name) => `${path}:${line}: ${name}`),
    );
    expect(missing).toEqual([]);
  });

  test('can be read alone where they describe what follows', () => {
    const leaning = comments
      .filter(({ isDoc, text }) => isDoc && leaningWord(text) !== undefined)
      .map(({ path, line, text }) => `${path}:${line}: ${text}`);
    expect(leaning).toEqual([]);
  });
});

/** The history names files by the names that they had. */
const presentPages = pages.filter((page) => page !== 'CHANGELOG.md');

test.each(presentPages)('%s names files that are there', (page) => {
  const missing = mentionsIn(withoutBlocks(textOfPage(page))).filter(
    (name) => !isThere(page, name, files),
  );
  expect(missing).toEqual([]);
});
