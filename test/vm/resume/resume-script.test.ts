// The script against a stand-in for QEMU: what it starts, in which words, and how it takes a QEMU that fails.
// test/e2e/resume-vm.test.ts runs it with a guest.
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resumeScript, scriptExitCodes } from '../../../src/vm/resume/resume-script.js';
import { optionsIn } from '../options-in.js';

let folder: string;

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'pars-script-')), `a "b" 'c', $d\n\`e\``);
  await mkdir(folder);
  await writeFile(join(folder, 'state'), 'the state');
});
afterEach(async () => {
  await rm(join(folder, '..'), { recursive: true });
});

/** Runs the script with `qemu`, a bash script, as the program. */
async function run(qemu: string, words: readonly string[] = [], isRamElsewhere = true) {
  const program = join(folder, 'qemu');
  await writeFile(program, `#!/usr/bin/env bash\n${qemu}`, { mode: 0o700 });
  const script = resumeScript({
    command: { program, options: optionsIn(...words) },
    folder,
    statePath: join(folder, 'state'),
    isRamElsewhere,
  });
  const path = join(folder, 'resume.sh');
  await writeFile(path, script);
  const { status, stderr } = spawnSync('bash', [path], { encoding: 'utf8', timeout: 20_000 });
  return { status, stderr, left: await readdir(folder) };
}

/** A stand-in that answers every command, those of `answers` in its own way, and writes down what it is told. */
function monitor(answers: string): string {
  return `
    here=$(dirname "$0")
    printf '%s\\0' "$@" >"$here/words"
    cat <&5 >"$here/loaded"
    path=\${*: -5:1}
    path=\${path#*path=}
    path=\${path//,,/,}
    exec 3<>"$path.in" 4<>"$path.out"
    echo '{"QMP": {}}' >&4
    while read -r line <&3; do
      echo "$line" >>"$here/told"
      id=\${line##*'"id"'}
      reply='"return": {}'
      case $line in
        ${answers}
        *query-migrate*) reply='"return": {"status": "completed"}' ;;
        *query-status*) reply='"return": {"status": "running"}' ;;
      esac
      printf '{"event": "X"}\\r\\n{%s, "id"%s\\r\\n' "$reply" "$id" >&4
      case $line in *query-status*) exit "\${code-0}" ;; esac
    done`;
}

test('QEMU gets every word as it was, and the state, then the commands in their order', async () => {
  const words = ['-drive', `file=${folder.replaceAll(',', ',,')}/d`, '-append', '', '-no-reboot'];
  const { status, stderr, left } = await run(monitor(''), words);
  expect([status, stderr]).toEqual([0, expect.stringMatching(/^resume\.sh: the VM runs \(pid/)]);
  const given = (await readFile(join(folder, 'words'), 'utf8')).split('\0');
  expect(given.slice(0, words.length)).toEqual(words);
  expect(given.slice(words.length).join(' ')).toMatch(
    /^-chardev pipe,id=pars-resume,path=[^]*\/qmp -mon chardev=pars-resume,mode=control -incoming defer $/,
  );
  expect(await readFile(join(folder, 'loaded'), 'utf8')).toBe('the state');
  const told = (await readFile(join(folder, 'told'), 'utf8')).trim().split('\n');
  expect(told.map((line) => (JSON.parse(line) as { execute: string }).execute)).toEqual([
    ...['qmp_capabilities', 'stop', 'migrate-set-capabilities', 'migrate-incoming'],
    ...['query-migrate', 'cont', 'query-status'],
  ]);
  expect(left.sort()).toEqual(['loaded', 'qemu', 'resume.sh', 'resumed', 'state', 'told', 'words']);
});

test('a stream with the RAM in it is loaded without the capability', async () => {
  expect(await run(monitor(''), [], false)).toMatchObject({ status: 0 });
  expect(await readFile(join(folder, 'told'), 'utf8')).not.toContain('x-ignore-shared');
});

test.each([
  ['that ends at once', 'echo no such disk >&2; exit 1', /no such disk\n.*QEMU did not start/],
  [
    'without the capability',
    monitor(`*set-capabilities*) reply='"error": {"desc": "unknown"}' ;;`),
    /does not take RAM from a file: .*unknown/,
  ],
  [
    'that fails to load and stays',
    monitor(`*query-migrate*) reply='"return": {"status": "failed"}' ;;`),
    /the state was not loaded: .*failed/,
  ],
  ['that ends while it loads', monitor(`*query-migrate*) exit 1 ;;`), /not loaded: QEMU has ended/],
])('a QEMU %s makes the script fail, and leaves no trace', async (_what, qemu, message) => {
  const { status, stderr, left } = await run(qemu);
  expect(status).toBe(scriptExitCodes.failed);
  expect(stderr).toMatch(message);
  expect(left.filter((name) => /^(qmp|resumed)/.test(name))).toEqual([]);
});

test('a VM that cannot go on makes the script fail', async () => {
  const answers = `*'"cont"'*) reply='"error": {"desc": "panicked"}' ;;`;
  expect(await run(monitor(answers))).toMatchObject({
    status: scriptExitCodes.failed,
    stderr: expect.stringMatching(/the VM does not run: .*panicked/) as string,
  });
});

test('a QEMU that fails later is told from one that ends well', async () => {
  const { status, stderr } = await run(`code=3\n${monitor('')}`);
  expect(status).toBe(scriptExitCodes.failed);
  expect(stderr).toMatch(/the VM runs .*\nresume\.sh: QEMU ended with exit code 3/);
});

test('a VM that ran from the folder does not start again', async () => {
  await writeFile(join(folder, 'resumed'), 'yesterday');
  const { status, stderr, left } = await run('touch "$(dirname "$0")/started"');
  expect(status).toBe(scriptExitCodes.ranBefore);
  expect(stderr).toMatch(/ran from here before \(yesterday\)/);
  expect(left).not.toContain('started');
});
