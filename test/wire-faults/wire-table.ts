// docs/evidence/wire.md: what broke on the wire of `hdfs://`, and what became of the files. Written by the run, never by hand.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import type { ReadLatency } from './read-latency.js';
import type { CaseOutcome } from './run-case.js';
import { type Action, actions, readPoints, type WireCase, writePoints } from './wire-case.js';

export const wirePath = fileURLToPath(new URL('../../docs/evidence/wire.md', import.meta.url));

export interface DoneCase {
  readonly wireCase: WireCase;
  readonly outcome: CaseOutcome;
}

export interface WireTable {
  readonly seed: number;
  readonly done: readonly DoneCase[];
  readonly wantedCount: number;
  readonly latency: ReadLatency;
}

const intro = `# Faults on the wire of \`hdfs://\`

What becomes of files that are written and read by HDFS's own protocols when something breaks in the middle. \`npm run test:wire\`
runs a real HDFS (one NameNode, five DataNodes), puts proxies in front of all of them, lets each fault strike at each point, at
each node of pipelines of one, two and three, and writes this file. Files have three to five packets; half of them are written
under their final name, as packs are, half under a name of their own first, as manifests are. A case is made again by its number
and the run's seed.

A case has **passed** when all of this holds:

- the write or the read succeeded, a read with the bytes that were written;
- no attempt took longer than its time-outs;
- \`hdfs dfs -get\` gives the file byte for byte, and \`hdfs dfs -checksum\` is the one that was computed here;
- by \`hdfs fsck -openforwrite\` the file has all its copies, is closed, and nothing else is left in its folder.

Points, of a write: **connect**; **header**: the operation on its way to the node; **setup**: the word that the pipeline takes the
block; packets and their acks, the **last** being the one that ends the block; **complete** and **completed**: the question to the
NameNode, and its answer. Of a read: those of the request of 1 MiB to the node that is asked first, or to the two that would be.
`;

export async function writeWireTable({
  seed,
  done,
  wantedCount,
  latency,
}: WireTable): Promise<void> {
  const failed = done.filter(({ outcome }) => outcome.wrong.length > 0);
  const total = [
    `${done.length - failed.length} of ${done.length} cases passed (seed ${seed}).`,
    ...(done.length === wantedCount
      ? []
      : [`${wantedCount - done.length} cases of ${wantedCount} have not been run.`]),
    'In each cell: passed / cases.',
    ...failed.map(
      ({ wireCase: { number, operation, point, action, position, copyCount }, outcome }) =>
        `\n\n- case ${number}, ${operation}, ${point}, ${action}, node ${position + 1} of ${copyCount}: ` +
        outcome.wrong.join('; ').replaceAll(/\s+/g, ' ').slice(0, 300),
    ),
  ].join(' ');
  const names = Object.keys(actions) as readonly Action[];
  const rows = [
    ...writePoints.map((point) => rowOf(done, names, 'write', point)),
    ...readPoints.map((point) => rowOf(done, names, 'read', point)),
  ];
  const header = ['', 'Point', ...names, 'slowest'];
  const alignment = header.map((_, column) => (column < 2 ? '---' : '--:'));
  const explained = names.map((name) => `- **${name}**: ${actions[name]}\n`).join('');
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  const { readCount, well, stopped } = latency;
  const reads =
    `## A DataNode that hangs\n\n${readCount} reads of 1 MiB, four at once, of files at replication 3, with the usual time-outs: ` +
    `half of them took ${ms(well.p50Ms)} or less, and 99 % ${ms(well.p99Ms)} or less. With one of the five DataNodes stopped by ` +
    `SIGSTOP it was ${ms(stopped.p50Ms)} and ${ms(stopped.p99Ms)}; the slowest took ${ms(stopped.maxMs)}.\n`;
  writeFileSync(
    wirePath,
    await format(
      `${intro}\n${explained}\n${total}\n\n${tableOf([header, alignment, ...rows])}\n${reads}`,
      { parser: 'markdown', printWidth: 120 },
    ),
  );
}

function rowOf(
  done: readonly DoneCase[],
  names: readonly Action[],
  operation: WireCase['operation'],
  point: WireCase['point'],
): readonly string[] {
  const own = done.filter(
    ({ wireCase }) => wireCase.operation === operation && wireCase.point === point,
  );
  const cells = names.map((name) => {
    const cases = own.filter(({ wireCase }) => wireCase.action === name);
    const passed = cases.filter(({ outcome }) => outcome.wrong.length === 0);
    return cases.length === 0 ? '' : `${passed.length} / ${cases.length}`;
  });
  const slowestMs = Math.max(0, ...own.map(({ outcome }) => outcome.tookMs));
  return [operation, point, ...cells, `${(slowestMs / 1000).toFixed(1)} s`];
}

function tableOf(rows: readonly (readonly string[])[]): string {
  return rows.map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}
