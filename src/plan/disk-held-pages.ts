// Pages that a disk image was seen to hold get a label of their own, so that a policy can say what becomes of them.
import { type DiskHeldPages, pickHeldRows } from '../../introspect/disk-held.js';
import type { PageMap } from '../../introspect/label/page-map.js';
import { labelNumbers, type PageLabel } from '../../introspect/page-class.js';

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
  rows.forEach((row) => {
    newLabels[held.page[row]] = labelNumbers['disk-held'];
  });
  return { ...map, labels: newLabels, diskHeld: pickHeldRows(held, rows) };
}
