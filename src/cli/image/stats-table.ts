// What `classify --stats` prints below the labels: the kernel's counts, what was found, and the difference.
import type { Statistics } from '../../../introspect/label/statistics.js';
import { type Lines, paragraphs } from '../../text/standard-streams.js';
import { formatTable } from '../shared/format.js';

export function statsTable(statistics: Statistics): Lines {
  if (!statistics.available) {
    return `No counters to compare with: ${statistics.reason}`;
  }
  const { counters, zones, perCpu } = statistics;
  return paragraphs([
    comparison(
      'counter (pages)',
      counters.map(({ counter, kernelPageCount, foundPageCount }) => [
        counter,
        kernelPageCount,
        foundPageCount,
      ]),
    ),
    comparison(
      'free pages of zone',
      zones.map(({ node, name, kernelFreePageCount, foundFreePageCount }) => [
        `node ${node}, ${name}`,
        kernelFreePageCount,
        foundFreePageCount,
      ]),
    ),
    formatTable(
      ['free lists of', 'zone', 'pages'],
      perCpu.map(({ node, zone, cpu, pageCount, broken }) => [
        `CPU ${cpu}`,
        `node ${node}, ${zone}`,
        pageCount === undefined ? `not believed: ${broken ?? ''}` : String(pageCount),
      ]),
      ['left', 'left', perCpu.some(({ broken }) => broken !== undefined) ? 'left' : 'right'],
    ),
  ]);
}

/** The kernel sums several counters where one label covers them; their names stand below each other. */
function comparison(
  title: string,
  rows: readonly (readonly [name: string, kernel: number, found: number])[],
): readonly string[] {
  return formatTable(
    [title, 'kernel', 'found', 'difference'],
    rows.flatMap(([name, kernel, found]) => {
      const names = name.split(' + ');
      return names.map((part, index) => {
        const isLast = index === names.length - 1;
        return [
          isLast ? part : `${part} +`,
          isLast ? String(kernel) : '',
          isLast ? String(found) : '',
          isLast ? signed(found - kernel) : '',
        ];
      });
    }),
    ['left', 'right', 'right', 'right'],
  );
}

function signed(value: number): string {
  return value > 0 ? `+${value}` : String(value);
}
