// Figures of made pages, held against what can be counted by hand and against an upload of the same pages.
import { readdirSync, readFileSync } from 'node:fs';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { labelNumbers } from '../../introspect/page-class.js';
import { ParsError } from '../../introspect/pars-error.js';
import { measureImage, type PolicyToMeasure } from '../../src/measure/measure-image.js';
import type { CodecChoice } from '../../src/pack/codec/codec-choice.js';
import { namedPolicies, type Policy, policyNames } from '../../src/plan/policy.js';
import type { ImageFigures } from '../../src/report/model/image-figures.js';
import { takeSnapshot } from '../../src/snapshot/take-snapshot.js';
import { withStore } from '../store/local/disk-folders.js';
import { imageBytes, madeMap, madeMemory, sparseMemory } from './made-memory.js';
import { packsByReplication } from './stored-packs.js';

const policies: readonly PolicyToMeasure[] = policyNames.map((name) => ({
  name,
  map: madeMap,
  policy: namedPolicies[name].policy,
}));

/** Six uploads, each with threads of its own. */

let figures: ImageFigures;
beforeAll(async () => {
  figures = await measureImage(madeMemory, madeMap, policies);
});

test('pages are counted by label, zero ones apart', () => {
  const counted = (['free', 'anon', 'slab'] as const).map((label) => {
    const pages = [...madeMap.labels.keys()].filter(
      (page) => madeMap.labels[page] === labelNumbers[label],
    );
    const zeroPages = pages.filter((page) => pageAt(page).every((byte) => byte === 0));
    return { label, pageCount: pages.length, zeroPageCount: zeroPages.length };
  });
  expect(figures.labels).toHaveLength(3);
  expect(figures.labels).toEqual(expect.arrayContaining(counted));
  expect(figures.imageSizeBytes).toBe(imageBytes.length);
  expect(figures.pageCount).toBe(madeMap.labels.length);
});

test('different pages are those of a set, without the zero page', () => {
  const different = new Set(
    [...madeMap.labels.keys()].map((page) => pageAt(page).toString('latin1')),
  );
  different.delete(Buffer.alloc(pageSizeBytes).toString('latin1'));
  expect(figures.uniquePageCount).toBe(different.size);
});

test('under each policy the packs are to the byte those that an upload writes by either codec', async () => {
  await withStore(async ({ store }) => {
    const packsBy = async (codec: CodecChoice, policy: Policy) => {
      const request = { store, memory: madeMemory, map: madeMap, policy, vm: 'made', codec };
      return packsByReplication((await takeSnapshot(request)).manifest);
    };
    for (const [index, { name, policy }] of policies.entries()) {
      const lz4 = await packsBy('lz4', policy);
      const zstd = await packsBy('zstd:3', policy);
      expect(figures.policies[index]).toEqual({
        policy: name,
        replications: lz4.map((entry, replication) => ({
          ...entry,
          zstdPackedBytes: zstd[replication].packedBytes,
        })),
      });
    }
  });
});

test('holes are not read, and the figures are the same', async () => {
  const { memory, read } = sparseMemory();
  expect(await measureImage(memory, madeMap, policies)).toEqual(figures);
  expect(read).toEqual([0, 2048 * pageSizeBytes]);
});

test('without policies there are no packs, and all else is the same', async () => {
  expect(await measureImage(madeMemory, madeMap, [])).toEqual({ ...figures, policies: [] });
});

test('stopped half way it says so, and no program stays behind', async () => {
  const before = childProcesses();
  const abort = new AbortController();
  const stopped = measureImage(madeMemory, madeMap, policies, {
    signal: abort.signal,
    onProgress: () => {
      abort.abort();
    },
  });
  await expect(stopped).rejects.toMatchObject({ code: 'cancelled' });
  expect(childProcesses()).toEqual(before);
});

test('an image that cannot be read is the error that reading gave', async () => {
  const failure = new ParsError('image-invalid', 'the image ends early');
  const { memory } = sparseMemory();
  const failing = {
    ...memory,
    regions: memory.regions,
    sizeBytes: memory.sizeBytes,
    read: () => false,
    readImage: (offset: number) => {
      if (offset > 0) {
        throw failure;
      }
    },
  };
  await expect(measureImage(failing, madeMap, policies)).rejects.toBe(failure);
});

test('the progress ends at the whole image', async () => {
  const seen: number[] = [];
  await measureImage(madeMemory, madeMap, [], {
    onProgress: ({ doneBytes, totalBytes }) => {
      expect(totalBytes).toBe(imageBytes.length);
      seen.push(doneBytes);
    },
  });
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect(seen.at(-1)).toBe(imageBytes.length);
});

function pageAt(page: number): Buffer {
  return imageBytes.subarray(page * pageSizeBytes, (page + 1) * pageSizeBytes);
}

/** The children of this process, by id. */
function childProcesses(): readonly string[] {
  return readdirSync('/proc/self/task')
    .flatMap((task) => readFileSync(`/proc/self/task/${task}/children`, 'utf8').trim().split(' '))
    .filter((id) => id !== '')
    .sort();
}
