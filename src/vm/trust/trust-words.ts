// What is said of a machine before it is started: on the terminal, and at the head of the script that starts it.
import { type Finding, findingText } from './effects.js';

/** How many findings of a long list are shown; the script has the command itself below. */
const maxShownCount = 50;

/** A line for each finding. */
export function findingLines(findings: readonly Finding[]): readonly string[] {
  const rest = findings.length - maxShownCount;
  return [
    ...findings.slice(0, maxShownCount).map(findingText),
    ...(rest > 0 ? [`and ${rest} more`] : []),
  ];
}

/** Comments for a script. What they quote has no line ends any more. */
export function headComments(findings: readonly Finding[]): string {
  const lines = [
    'What this starts was said by the snapshot, and runs with the rights of whoever starts this script: read it before.',
    ...(findings.length === 0
      ? []
      : [
          'pars would not start it on the word of the snapshot (pars restore --resume asks for --trust-machine):',
          ...findingLines(findings).map((line) => `  ${line}`),
        ]),
  ];
  return lines.map((line) => `# ${line.replaceAll(/[\n\r]/g, ' ')}`).join('\n');
}
