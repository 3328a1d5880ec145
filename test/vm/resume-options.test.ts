// The table of options in docs/resume.md has every option of QEMU's that names something of the host.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { optionRules } from '../../src/vm/trust/option-rules.js';

const page = readFileSync(fileURLToPath(new URL('../../docs/resume.md', import.meta.url)), 'utf8');
const inTable = new Set(
  page
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .flatMap((line) => [...line.split('|')[1].matchAll(/`-([a-zA-Z][\w-]*)/g)])
    .map(([, name]) => name),
);

/** Options of QEMU 11.1, by its manual page, that 7.2 does not have. */
const newerOptions = ['audio', 'run-with', 'shim'];

/** Whether an option names nothing of the host. */
function isOfTheGuest(name: string): boolean {
  const rule = Object.hasOwn(optionRules, name) ? optionRules[name] : undefined;
  return rule?.form === 'harmless' || (rule?.form === 'settings' && rule.paths === undefined);
}

test('every option of this QEMU, and of newer ones, is in the table or names nothing of the host', () => {
  const help = execFileSync('qemu-system-x86_64', ['-help'], { encoding: 'utf8' });
  const names = [...help.matchAll(/^-{1,2}([a-zA-Z][\w-]*)(?: or -([\w-]+))?/gm)].flatMap(
    ([, ...found]: readonly (string | undefined)[]) => found.flatMap((name) => name ?? []),
  );
  expect(names.length).toBeGreaterThan(100);
  const missing = [...names, ...newerOptions].filter(
    (name) => !inTable.has(name) && !isOfTheGuest(name),
  );
  expect(missing).toEqual([]);
});
