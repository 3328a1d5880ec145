// The tables of docs/ that are made from the code. `npm run docs:tables` writes them, tables.test.ts holds them equal.
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { healedBy, type HealingWay } from '../../introspect/heal/healed-by.js';
import { pageClasses } from '../../introspect/page-class.js';
import { exitCodeOfError, exitCodes, exitMeanings } from '../../src/cli/shared/exit-code.js';
import { namedPolicies, policyNames } from '../../src/plan/policy.js';
import { ecPolicyName } from '../../src/store/redundancy.js';

export interface DocsTable {
  /** From the root of the repository. */
  readonly file: string;
  readonly mark: string;
  readonly rows: readonly (readonly string[])[];
}

export const pathOf = ({ file }: DocsTable): string =>
  fileURLToPath(new URL(`../../${file}`, import.meta.url));

export async function tableText({ rows: [header, ...rows] }: DocsTable): Promise<string> {
  const rule = header.map(() => '---');
  const lines = [header, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |\n`);
  return await format(lines.join(''), { parser: 'markdown' });
}

const classOf = (expendable: boolean): string => (expendable ? 'expendable' : 'critical');

const wayInWords: Readonly<Record<HealingWay | 'none', string>> = {
  filling: 'filling',
  rereading: 'reading again',
  disk: 'putting back',
  none: '',
};

function labelRows(): readonly (readonly string[])[] {
  return [
    ['No.', 'Label', 'Class', 'What it is', 'If it is lost', 'Healed by'],
    ...pageClasses.map(({ number, label, expendable, meaning, loss }) => [
      ...[`${number}`, `\`${label}\``, classOf(expendable), meaning, loss],
      wayInWords[healedBy[label]],
    ]),
  ];
}

/** Labels that every named policy gives the same copies stand in one row for each number of copies. */
function copyRows(): readonly (readonly string[])[] {
  const byCopies = new Map<string, string[]>();
  for (const { label } of pageClasses) {
    const copies = policyNames.map((name) => {
      const kept = namedPolicies[name].policy[label];
      return typeof kept === 'number' ? `${kept}` : ecPolicyName(kept);
    });
    const key = copies.join(' ');
    byCopies.set(key, [...(byCopies.get(key) ?? []), label]);
  }
  const critical = pageClasses.filter(({ expendable }) => !expendable).map(({ label }) => label);
  const labelsInWords = (labels: readonly string[]): string =>
    labels.join() === critical.join()
      ? 'every critical label'
      : labels.map((label) => `\`${label}\``).join(', ');
  return [
    ['Label', ...policyNames.map((name) => `\`${name}\``)],
    ...[...byCopies].map(([key, labels]) => [labelsInWords(labels), ...key.split(' ')]),
    [
      'becomes `disk-held` where `--disk` has its bytes',
      ...policyNames.map((name) =>
        namedPolicies[name].heldLabels.map((label) => `\`${label}\``).join(', '),
      ),
    ],
  ];
}

function exitCodeRows(): readonly (readonly string[])[] {
  const own = Object.entries(exitCodes).map(([name, code]) => ({
    code,
    // The others are no errors: --json prints the result then.
    error: name === 'internal' ? '`internal`' : '',
    meaning: exitMeanings[name as keyof typeof exitCodes],
  }));
  const ofErrors = Object.entries(exitCodeOfError).map(([name, code]) => ({
    code,
    error: `\`${name}\``,
    meaning: exitMeanings[name as keyof typeof exitCodeOfError],
  }));
  return [
    ['Code', '`error.code`', 'Meaning'],
    ...[...own, ...ofErrors]
      .sort((a, b) => a.code - b.code)
      .map(({ code, error, meaning }) => [`${code}`, error, meaning]),
  ];
}

export const docsTables: readonly DocsTable[] = [
  { file: 'docs/labels.md', mark: 'generated:labels', rows: labelRows() },
  { file: 'docs/policies.md', mark: 'generated:copies', rows: copyRows() },
  { file: 'docs/exit-codes.md', mark: 'generated:exit-codes', rows: exitCodeRows() },
];
