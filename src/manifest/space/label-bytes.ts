// A space's labels as introspection has them: one number per page.
import { labelNumbers, pageClasses } from '../../../introspect/page-class.js';
import type { AddressSpace } from '../types.js';

/** In image order. `legend`: the manifest's. Labels that a newer program made up become `unknown`. */
export function labelBytes(
  { labelRuns }: Pick<AddressSpace, 'labelRuns'>,
  legend: readonly string[],
): Uint8Array {
  const numbers = legend.map(
    (name) => pageClasses.find(({ label }) => label === name)?.number ?? labelNumbers.unknown,
  );
  const { label, firstPage, pageCount } = labelRuns;
  const last = label.length - 1;
  const labels = new Uint8Array(last < 0 ? 0 : firstPage[last] + pageCount[last]);
  for (let run = 0; run < label.length; run++) {
    labels.fill(numbers[label[run]], firstPage[run], firstPage[run] + pageCount[run]);
  }
  return labels;
}
