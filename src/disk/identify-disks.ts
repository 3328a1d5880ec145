// Which of the guest's disks an image is, where nobody says so: the one whose cached pages it holds. A wrong image holds next
// to none of them, and whatever it is taken for, a page counts as held only when its bytes were compared.
import type { FilePlaces } from '../../introspect/heal/file-places.js';
import type { PhysicalMemory } from '../../introspect/memory/physical-memory.js';
import { closeGuestDisks, diskNames, openGuestDisks } from './guest-disks.js';
import { ProofBudget } from './proof-budget.js';
import { provePages } from './prove-pages.js';

/** More disks than this are not looked for: a guest may claim to have any number. */
const nameLimit = 64;

export interface IdentifyRequest {
  readonly memory: PhysicalMemory;
  readonly places: FilePlaces;
  readonly paths: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** By image: the guest's name of it, such as vda; undefined where the guest has none of its pages in memory. */
export async function identifyDisks(
  request: IdentifyRequest,
): Promise<readonly (string | undefined)[]> {
  const { places, paths } = request;
  const matches: { path: number; name: string; heldPageCount: number }[] = [];
  const budget = new ProofBudget();
  for (const name of diskNames(places).slice(0, nameLimit)) {
    for (const [path, image] of paths.entries()) {
      const heldPageCount = await countHeld(request, name, image, budget);
      if (heldPageCount > 0) {
        matches.push({ path, name, heldPageCount });
      }
    }
  }
  matches.sort((a, b) => b.heldPageCount - a.heldPageCount);
  const names: (string | undefined)[] = paths.map(() => undefined);
  for (const { path, name } of matches) {
    if (names[path] === undefined && !names.includes(name)) {
      names[path] = name;
    }
  }
  return names;
}

async function countHeld(
  { memory, places, signal }: IdentifyRequest,
  name: string,
  path: string,
  budget: ProofBudget,
): Promise<number> {
  const disks = openGuestDisks([{ name, path }], [name]);
  try {
    const { held } = await provePages({ memory, places, disks, budget, signal });
    return held.page.length;
  } finally {
    closeGuestDisks(disks);
  }
}
