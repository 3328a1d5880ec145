// All that people are shown goes through src/text/standard-streams.ts: what is written past it is not made safe. Held by
// looking at the sources, since no run of a command comes to every line.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const writer = 'src/text/standard-streams.ts';

/** What else may be near a stream, and why that shows nobody anything. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  // The guard's output is a pipe to the capture, which takes JSON from it and shows none of it as it is.
  'src/vm/capture/guard/capture-guard-main.ts': ['process.stdout'],
  // The VM that is resumed has the terminal to itself, as if it had been started by hand.
  'src/restore/resume/resume-folder.ts': ["'inherit'"],
};

const pastTheWriter = [
  /process\s*\.\s*(?:stdout|stderr|_rawDebug|emitWarning)/g,
  /process\s*\[/g,
  /\bconsole\s*[.[]/g,
  /\bwriteSync\(\s*(?:1|2|standard)/g,
  /\/dev\/(?:tty|stdout|stderr)/g,
  /'inherit'/g,
];

function sources(): readonly string[] {
  return ['src', 'introspect'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(folder, name)),
  );
}

/** Comments may speak of streams. */
function codeOf(path: string): string {
  return readFileSync(join(root, path), 'utf8').replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '');
}

function foundIn(path: string): readonly string[] {
  return pastTheWriter.flatMap((pattern) =>
    [...codeOf(path).matchAll(pattern)].map(([found]) => found),
  );
}

test('no source writes to a standard stream but the one writer', () => {
  const found = sources()
    .filter((path) => path !== writer)
    .flatMap((path) =>
      foundIn(path)
        .filter((words) => !(allowed[path] ?? []).includes(words))
        .map((words) => `${path}: ${words}`),
    );
  expect(found).toEqual([]);
});

test('the writer itself would be found', () => {
  expect(foundIn(writer)).not.toEqual([]);
});
