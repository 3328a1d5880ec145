// Question: how fast are pages labelled once the kernel is found, how long does finding it take, and how does that compare
//   with makedumpfile's exclusion step on the same image?
// Method: each sample is a fresh process, as a user's is: find the kernel, then classify once; the image is in the page
//   cache. `warm` repeats classify in that process, where the loops are compiled already. makedumpfile (-d 31) runs on
//   the same RAM behind an ELF header, in turn with ours; its own line for the exclusion step is taken.
// Non-goals: writing anything, images that are not in the page cache.
// Run: npm run bench -- labelling [ROUNDS]
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { classify } from '../introspect/label/classify.js';
import { findKernel } from '../introspect/label/find-kernel.js';
import { openRawFile } from '../introspect/memory/formats/raw-file.js';
import { fixtureGuest } from '../test/guest/fixtures.js';
import { vmcoreinfoText, writeElfCore } from './elf-core.js';
import { formatSpread } from './samples.js';

const run = promisify(execFile);
const warmRepeats = 8;

interface Sample {
  readonly findMs: number;
  readonly firstMs: number;
  readonly warmMs: number;
  readonly pageCount: number;
}

/** In a process of its own: dist/ as built, so that no compiler's work is measured. */
const sampler = `
  import { classify, findKernel, openImage } from ${JSON.stringify(join(import.meta.dirname, '../dist/introspect/index.js'))};
  const image = openImage(process.argv[1]);
  const clock = (work) => { const start = performance.now(); const value = work(); return [performance.now() - start, value]; };
  const [findMs, found] = clock(() => findKernel(image));
  const [firstMs, map] = clock(() => classify(found));
  if (map.evidence.kind !== 'complete') throw new Error(JSON.stringify(map.evidence));
  let warmMs = Infinity;
  for (let round = 0; round < ${warmRepeats}; round++) warmMs = Math.min(warmMs, clock(() => classify(found))[0]);
  console.log(JSON.stringify({ findMs, firstMs, warmMs, pageCount: map.labels.length }));
`;

async function sample(path: string): Promise<Sample> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', sampler, path]);
  return JSON.parse(stdout) as Sample;
}

/** Seconds that makedumpfile states for its exclusion step. */
async function sampleMakedumpfile(corePath: string, outPath: string): Promise<number> {
  const { stdout, stderr } = await run('makedumpfile', [
    '--message-level',
    '31',
    '-d',
    '31',
    corePath,
    outPath,
  ]);
  await rm(outPath, { force: true });
  const step = /STEP \[Excluding unnecessary pages\]\s*:\s*([\d.]+) seconds/.exec(stdout + stderr);
  if (step === null) {
    throw new Error(`makedumpfile did not state its exclusion step: ${stdout}${stderr}`);
  }
  return Number(step[1]);
}

const rounds = Number(process.argv[2] ?? 7);
const folder = await mkdtemp(join(tmpdir(), 'pars-bench-'));
try {
  for (const name of ['aged', 'aboveHole'] as const) {
    const guest = await fixtureGuest(name);
    const image = openRawFile(guest.ramPath);
    const found = findKernel(image);
    const { evidence } = classify(found);
    if (evidence.kind !== 'complete') {
      throw new Error(`${name}: ${evidence.reason}`);
    }
    const core = join(folder, 'core');
    await writeElfCore(guest.ramPath, core, found.memory, vmcoreinfoText(found.memory));
    image.close();
    const ours: Sample[] = [];
    const theirs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      ours.push(await sample(guest.ramPath));
      theirs.push(await sampleMakedumpfile(core, join(folder, 'dump')));
    }
    await rm(core);
    const { pageCount } = ours[0];
    const rate = (ms: number): number => pageCount / ms / 1000;
    console.log(
      `${guest.machine.ramSizeMib} MiB guest, ${pageCount} pages, ${rounds} processes, median (min - max)`,
    );
    console.log(
      `  find the kernel       ${formatSpread(
        ours.map(({ findMs }) => findMs),
        0,
      )} ms`,
    );
    console.log(
      `  label, first call     ${formatSpread(
        ours.map(({ firstMs }) => rate(firstMs)),
        1,
      )} million pages/s`,
    );
    console.log(
      `  label, warm           ${formatSpread(
        ours.map(({ warmMs }) => rate(warmMs)),
        1,
      )} million pages/s`,
    );
    console.log(
      `  makedumpfile          ${formatSpread(
        theirs.map((s) => rate(s * 1000)),
        1,
      )} million pages/s`,
    );
    console.log(
      `  first call / makedumpfile  ${formatSpread(ours.map(({ firstMs }, index) => (theirs[index] * 1000) / firstMs))}`,
    );
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
