// What becomes of a tool that is missing, fails, never ends or floods, with programs that every system has.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DiskImage } from '../../src/disk/disk-image.js';
import { runTool } from '../../src/disk/file-system-tool.js';
import type { Bound } from '../../src/disk/proof-budget.js';

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
  options: { input?: Iterable<string>; signal?: AbortSignal; bound?: Bound } = {},
) {
  const lines: string[] = [];
  const end = await runTool({
    program,
    packageName: 'a-package',
    programArguments,
    image,
    input: options.input ?? [],
    onLine: (line) => lines.push(line),
    bound: options.bound,
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

test('a tool that goes on answering is ended when its time is up, and what it said counts', async () => {
  const startMs = performance.now();
  const { problem, lines, took } = await run(
    'sh',
    ['-c', 'echo first; while :; do echo more; sleep 0.05; done'],
    { bound: { timeMs: 500, sizeBytes: 2 ** 20 } },
  );
  expect(problem).toBe('sh was ended after 0.5 s, the most it may take');
  expect(lines[0]).toBe('first');
  expect(took.timeMs).toBeGreaterThanOrEqual(499);
  expect(performance.now() - startMs).toBeLessThan(5000);
});

test('one that answers without end is ended when it has said as much as it may', async () => {
  const { problem, lines, took } = await run('yes', [], {
    bound: { timeMs: 60_000, sizeBytes: 2 ** 20 },
  });
  expect(problem).toBe('yes was ended after 1048576 bytes of answers, the most it may give');
  expect(lines.length).toBeLessThanOrEqual(2 ** 19);
  expect(took.sizeBytes).toBeGreaterThan(2 ** 20);
});

test('its memory is bounded', async () => {
  const { lines } = await run('sh', ['-c', 'ulimit -v']);
  expect(Number(lines[0])).toBeLessThanOrEqual(2 ** 21);
});
