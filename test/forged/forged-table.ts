// docs/evidence/forged.md: what labelling makes of forged evidence. Written by the run, never by hand.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { deadKind } from './dead-case.js';
import { forgeryKinds } from './forgeries.js';
import { type Verdict, verdicts, wrongVerdicts } from './judge.js';
import { type BatchResult, batchSize } from './results.js';

export const forgedPath = fileURLToPath(new URL('../../docs/evidence/forged.md', import.meta.url));

const intro = `# Forged evidence

What becomes of the labels when a guest forges what they are made from. \`npm run test:forged\` takes the RAM of real guests
(Debian's cloud kernels 5.10, 6.12 and 7.3), writes forgeries into it, labels it, holds the labels against those of the
undisturbed guest, and writes this file. Half of the forgeries are bent afterwards: up to eight of their words are replaced by
others that may pass. A case is made again by its number and the run's seed.

By **own frames**: a root user in the guest writes where he may, into free pages and anonymous memory, at lower or higher
addresses than the kernel's own structures. By **own kernel**: the guest's kernel lies about itself, which may cost the guest
its own pages and nothing else. What is lied about is everything, everything but the evidence, the evidence itself, the
kernel's image, page tables, stacks, slab, anonymous memory, or a few pages; they are said to be free, given back to the host,
or clean file cache.

A case is wrong if a page is given up that the running kernel cannot miss, or one that the labels were made from; if labels are
complete though nothing in the RAM tells which of two kernels is running; if labelling ends in an error; or takes 5 s. Labels
are made from the pages that were read among those that the undisturbed labels rest on and those that were forged: a bent link
leads anywhere, and what is found there is refused.
`;

const kinds: readonly { readonly name: string; readonly by: string }[] = [
  ...forgeryKinds,
  { name: deadKind, by: 'reset, reboot, kexec' },
];
const header = ['Forgery', 'By', 'Cases', ...verdicts];
const alignment = header.map((_, column) => (column < 2 ? '---' : '--:'));

export async function writeForgedTable(
  seed: number,
  batches: readonly BatchResult[],
  wantedCount: number,
): Promise<void> {
  const count = (kind: string | undefined, verdict?: Verdict): number =>
    batches
      .flatMap(({ counts }) => counts)
      .filter(([name, found]) => (kind ?? name) === name && (verdict ?? found) === found)
      .reduce((sum, [, , cases]) => sum + cases, 0);
  const rows = kinds.map(({ name, by }) => [
    name,
    by,
    String(count(name)),
    ...verdicts.map((verdict) => String(count(name, verdict))),
  ]);
  const table = [header, alignment, ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
  const done = count(undefined);
  const wrongCount = wrongVerdicts.reduce((sum, verdict) => sum + count(undefined, verdict), 0);
  const examples = kinds.flatMap(({ name }) =>
    wrongVerdicts.flatMap((verdict) => {
      const found = batches
        .flatMap(({ wrong }) => wrong)
        .find((outcome) => outcome.kind === name && outcome.verdict === verdict);
      return found === undefined
        ? []
        : [
            `- ${name}, ${verdict}: case ${found.number} (${found.base}): ${inline(found.detail)}. ${inline(found.recipe)}\n`,
          ];
    }),
  );
  const earlier = batches.filter(({ isEarlier }) => isEarlier === true).length * batchSize;
  const total =
    `${done} cases with seed ${seed}, ${wrongCount} of them wrong.` +
    (earlier > 0
      ? ` ${earlier} of them were run before the last change of the sources. The others came out wrong then, or stood beside one that did,\nand were run again after it.`
      : '') +
    (done < wantedCount ? ` ${wantedCount - done} of ${wantedCount} have not been run.` : '');
  writeFileSync(
    forgedPath,
    await format(`${intro}\n${total}\n\n${table}\n${examples.join('')}`, {
      parser: 'markdown',
      printWidth: 120,
    }),
  );
}

/** What came out of a guest's memory is no Markdown. */
function inline(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/[|*_<>`[\]]/g, '.');
}
