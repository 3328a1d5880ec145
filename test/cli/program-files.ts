// Which sources are in which file of the program, as the build has noted it (build/bundle.mjs).
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';

const folder = join(import.meta.dirname, '../../dist/program');

const metafile = z
  .object({
    outputs: z.record(
      z.string(),
      z.object({ inputs: z.record(z.string(), z.unknown()), entryPoint: z.string().optional() }),
    ),
  })
  .parse(JSON.parse(readFileSync(join(folder, 'metafile.json'), 'utf8')));

/** By the name of the file, without its folder: the sources in it, from the repository's root. */
export const sourcesOfFile: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(metafile.outputs).map(([path, { inputs }]) => [
    basename(path),
    Object.keys(inputs),
  ]),
);

/** The name of the file that is loaded when `source`, such as `src/cli/store/list.ts`, is imported. */
export function fileOfSource(source: string): string {
  const found = Object.entries(metafile.outputs).find(
    ([, { entryPoint }]) => entryPoint === source,
  );
  if (found === undefined) {
    throw new Error(`no file of the program begins with ${source}`);
  }
  return basename(found[0]);
}

/** The names of packages that any file of the program has code of. */
export function packagesOfProgram(): readonly string[] {
  const sources = [...sourcesOfFile.values()].flat();
  return [...new Set(sources.map(packageOfSource).filter((name) => name !== undefined))];
}

/** The package that a file below `node_modules` is of. */
export function packageOfSource(path: string): string | undefined {
  return /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
}
