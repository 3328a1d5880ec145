// An image's figures under every named policy, as if it were stored with the disks that are given. Nothing is stored.
import type { DiskArgument } from '../disk/guest-disks.js';
import { withDiskHeld } from '../plan/disk-held-pages.js';
import { namedPolicies, policyNames } from '../plan/policy.js';
import type { ImageFigures } from '../report/model/image-figures.js';
import { type ProofContext, proveOnDisk } from '../snapshot/prepare/hold-on-disk.js';
import type { LabelledImage } from '../snapshot/prepare/open-image.js';
import { measureImage, type PolicyToMeasure } from './measure-image.js';

/** The policy `disk` is left out where no disk is given: it stores as `strict` then. */
export async function measureLabelled(
  image: LabelledImage,
  disks: readonly DiskArgument[],
  context: ProofContext,
): Promise<ImageFigures> {
  const proven = await proveOnDisk(image, disks, context);
  const policies = policyNames
    .filter((name) => name !== 'disk' || proven !== undefined)
    .map((name): PolicyToMeasure => {
      const { policy, heldLabels } = namedPolicies[name];
      return {
        name,
        policy,
        map: proven === undefined ? image.map : withDiskHeld(image.map, proven.held, heldLabels),
      };
    });
  return await measureImage(image.memory, image.map, policies, context);
}
