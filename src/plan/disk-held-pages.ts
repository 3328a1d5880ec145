// Pages that a disk image was seen to hold get a label of their own, so that a policy can say what becomes of them.
import { type DiskHeldPages, heldHashBytes } from '../../introspect/disk-held.js';
import { labelNumbers, type PageLabel } from '../../introspect/page-class.js';
import type { PageMap } from '../../introspect/page-map.js';

/** The map with every page of `held` that carries one of `labels` as `disk-held`, and where those pages are. */
export function withDiskHeld(
  map: PageMap,
  held: DiskHeldPages,
  labels: readonly PageLabel[],
): PageMap {
  const taken = new Set(labels.map((label) => labelNumbers[label]));
  const rows = Uint32Array.from(held.page.keys()).filter((row) =>
    taken.has(map.labels[held.page[row]]),
  );
  const newLabels = map.labels.slice();
  const hash = new Uint8Array(rows.length * heldHashBytes);
  rows.forEach((row, index) => {
    newLabels[held.page[row]] = labelNumbers['disk-held'];
    const from = row * heldHashBytes;
    hash.set(held.hash.subarray(from, from + heldHashBytes), index * heldHashBytes);
  });
  return {
    ...map,
    labels: newLabels,
    diskHeld: {
      disks: held.disks,
      page: rows.map((row) => held.page[row]),
      disk: Uint8Array.from(rows, (row) => held.disk[row]),
      offsetBytes: Float64Array.from(rows, (row) => held.offsetBytes[row]),
      hash,
    },
  };
}
