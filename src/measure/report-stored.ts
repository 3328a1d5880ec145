// The report on a stored snapshot: its manifest, where its blocks lie, and its image's bytes where a file of them is given.
import { ParsError } from '../../introspect/pars-error.js';
import { loadManifest, resolveId } from '../catalog/catalog.js';
import { labelBytes } from '../manifest/space/label-bytes.js';
import { ramOf } from '../manifest/space/spaces.js';
import type { Manifest } from '../manifest/types.js';
import type { MemoryMapData } from '../report/html/charts/memory-map.js';
import type { ImageFigures } from '../report/model/image-figures.js';
import type { Assumptions, SnapshotReport } from '../report/model/report.js';
import { snapshotReport } from '../report/model/snapshot-report.js';
import type { Store } from '../store/store.js';
import { figuresOfManifest } from './figures-of-manifest.js';
import { readPlacement } from './read-placement.js';

export interface StoredReport {
  readonly report: SnapshotReport;
  readonly map: MemoryMapData;
}

/**
 * `assume`: what is taken for granted of a cluster, so many of whose nodes hold the snapshot; undefined where the store has none.
 * `figures`: of the same image's bytes. Throws `usage` when they are of another.
 */
export async function reportStored(
  store: Store,
  prefix: string,
  assume: (knownNodeCount: number | undefined) => Assumptions,
  signal: AbortSignal,
  figures?: ImageFigures,
): Promise<StoredReport> {
  const manifest = await loadManifest(store, await resolveId(store, prefix), signal);
  const { header } = manifest;
  const ram = ramOf(manifest);
  const own = figuresOfManifest(manifest);
  if (figures !== undefined) {
    expectSameImage(manifest, own, figures);
  }
  const isCoded = header.packs.some(({ code }) => code !== undefined);
  const { parts, storedBytes, placement } = await readPlacement(store, manifest, signal);
  return {
    report: snapshotReport({
      subject: {
        id: header.id,
        vm: header.vm,
        imagePath: null,
        created: new Date(header.createdMs).toISOString(),
        kernel: header.guest?.release ?? null,
        evidence: header.evidence,
      },
      figures: figures ?? own,
      assumptions: assume(placement?.nodes.length),
      stored: {
        policy: isCoded ? undefined : own.policies.at(0)?.policy,
        parts,
        storedBytes,
        placement,
      },
    }),
    map: {
      title: `Memory of ${header.vm} by label`,
      regions: (ram?.regions ?? []).map(({ start, sizeBytes }, index, all) => ({
        gpaStart: start,
        sizeBytes,
        imageOffset: all.slice(0, index).reduce((sum, region) => sum + region.sizeBytes, 0),
      })),
      labels: ram === undefined ? new Uint8Array() : labelBytes(ram, header.legend),
    },
  };
}

/** Labels come from the bytes, so other bytes give other counts; those that a disk holds are told apart on one side only. */
function expectSameImage({ header }: Manifest, own: ImageFigures, given: ImageFigures): void {
  const heldPageCount = own.labels.find(({ label }) => label === 'disk-held')?.pageCount ?? 0;
  const isSame =
    own.pageCount === given.pageCount &&
    (heldPageCount > 0 ||
      own.labels.every(
        ({ label, pageCount }) =>
          pageCount === (given.labels.find((entry) => entry.label === label)?.pageCount ?? 0),
      ));
  if (!isSame) {
    throw new ParsError(
      'usage',
      `--image: expected the memory of snapshot ${header.id}, found another: its labels differ`,
    );
  }
}
