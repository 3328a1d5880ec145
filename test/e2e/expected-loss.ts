// Which pages must be reported as lost, worked out from the manifest alone, page by page. The program under test goes
// another way, by runs and binary searches.

import { manifestName } from '../../src/catalog/names.js';
import { decodeManifest, decodeManifestHeader } from '../../src/manifest/decode.js';
import type { Manifest } from '../../src/manifest/types.js';
import { maskHas } from '../../src/pack/mask.js';
import { windowPageCount } from '../../src/pack/types.js';
import type { LostRunAnswer } from './command-answers.js';
import { readFromHdfs, type StoreOnHdfs } from './hdfs-cluster.js';

export async function manifestOnHdfs(store: StoreOnHdfs, id: string): Promise<Manifest> {
  const read = (name: string) => readFromHdfs(store.cluster, `${store.rootPath}/${name}`);
  const file = await read(manifestName(id));
  const result = decodeManifestHeader(file);
  if (result.kind !== 'complete') {
    throw new Error(`the manifest of ${id} is not whole`);
  }
  return decodeManifest(
    file,
    await Promise.all(result.header.bodies.map(({ name }) => read(name))),
  );
}

/** Pages of RAM in the frames that `isLost` names by index, ascending. */
export function pagesOfFrames(
  { spaces: [space] }: Manifest,
  isLost: (frame: number) => boolean,
): readonly number[] {
  const { window, maskLow, maskHigh, frame } = space.places;
  const pages: number[] = [];
  for (let place = 0; place < window.length; place++) {
    if (!isLost(frame[place])) {
      continue;
    }
    for (let bit = 0; bit < windowPageCount; bit++) {
      if (maskHas(maskLow[place], maskHigh[place], bit)) {
        pages.push(window[place] * windowPageCount + bit);
      }
    }
  }
  return pages.sort((a, b) => a - b);
}

/** `pages` as `--json` lists them. For guests whose RAM is one region from address 0. */
export function lostRunsOf(
  { header, spaces: [space] }: Manifest,
  pages: readonly number[],
  reason: LostRunAnswer['reason'],
): readonly LostRunAnswer[] {
  if (space.regions.length !== 1 || space.regions[0].start !== 0) {
    throw new Error('expected RAM that is one region from address 0');
  }
  const labels = labelByPage(space.labelRuns);
  const runs: { -readonly [Key in keyof LostRunAnswer]: LostRunAnswer[Key] }[] = [];
  for (const page of pages) {
    const label = header.legend[labels[page]];
    const last = runs.at(-1);
    if (last !== undefined && last.firstPage + last.pageCount === page && last.label === label) {
      last.pageCount++;
    } else {
      runs.push({ firstPage: page, pageCount: 1, pfn: page, label, reason });
    }
  }
  return runs;
}

function labelByPage({ label, pageCount }: Manifest['spaces'][number]['labelRuns']): Uint8Array {
  const labels = new Uint8Array(pageCount.reduce((sum, count) => sum + count, 0));
  let page = 0;
  for (let run = 0; run < label.length; run++) {
    labels.fill(label[run], page, page + pageCount[run]);
    page += pageCount[run];
  }
  return labels;
}
