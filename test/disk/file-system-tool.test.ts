// What becomes of a tool that is missing, fails, never ends or floods, with programs that every system has.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DiskImage } from '../../src/disk/disk-image.js';
import { runTool } from '../../src/disk/file-system-tool.js';

const folder = mkdtempSync(join(tmpdir(), 'pars-tool-'));
writeFileSync(join(folder, 'disk'), Buffer.alloc(4096, 'ab\n'));
let image: DiskImage;

beforeAll(() => {
  image = DiskImage.open(join(folder, 'disk'));
});
afterAll(() => {
  image.close();
  rmSync(folder, { recursive: true });
});

async function run(
  program: string,
  programArguments: readonly string[],
  options: { input?: Iterable<string>; signal?: AbortSignal } = {},
) {
  const lines: string[] = [];
  const end = await runTool({
    program,
    packageName: 'a-package',
    programArguments,
    image,
    input: options.input ?? [],
    onLine: (line) => lines.push(line),
    signal: options.signal,
  });
  return { ...end, lines };
}

test('lines come whole, however they are cut, and the last one without its end', async () => {
  const { lines, problem } = await run('sh', ['-c', 'printf "a"; sleep 0.1; printf "b\\n\\nc"']);
  expect(lines).toEqual(['ab', '', 'c']);
  expect(problem).toBeUndefined();
});

test('the image is open for it, and the input is what was given', async () => {
  const { lines } = await run('sh', ['-c', 'head -n 1 /dev/fd/3; cat'], { input: ['x\n', 'y\n'] });
  expect(lines).toEqual(['ab', 'x', 'y']);
});

test('a tool that is missing is named, with what brings it', async () => {
  const { problem } = await run('no-such-tool', []);
  expect(problem).toBe('no-such-tool is not installed (package a-package)');
});

test('one that fails says how, and is not waited for by what it would have read', async () => {
  const input = Array.from({ length: 100_000 }, () => 'stat <12>\n');
  const { problem } = await run('sh', ['-c', 'echo "sh 1.0\nno /dev/fd/3" >&2; exit 3'], { input });
  expect(problem).toBe(`no ${image.path}`);
  expect((await run('sh', ['-c', 'exit 3'], { input })).problem).toBe('sh ended with status 3');
});

test('a line without an end is not gathered for ever', async () => {
  const { problem, lines } = await run('sh', ['-c', 'tr "\\0" x </dev/zero']);
  expect(problem).toMatch(/line of more than/);
  expect(lines).toEqual([]);
});

test('a stop ends it', async () => {
  const stop = new AbortController();
  const running = run('sleep', ['1000'], { signal: stop.signal });
  stop.abort(new Error('stopped'));
  await expect(running).rejects.toThrow('stopped');
  await expect(run('true', [], { signal: stop.signal })).rejects.toThrow('stopped');
});
