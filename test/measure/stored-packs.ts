// What an upload without disks wrote, added up by replication: sizes as the store gave them back.
import { maskPageCount } from '../../src/pack/mask.js';
import type { Manifest } from '../../src/manifest/types.js';
import type { ReplicationFigures } from '../../src/report/model/image-figures.js';

export function packsByReplication({ header, spaces: [ram] }: Manifest): ReplicationFigures[] {
  const replications = [...new Set(header.packs.map(({ replication }) => replication))];
  return replications
    .sort((a, b) => a - b)
    .map((replication) => {
      const packs = header.packs.filter((pack) => pack.replication === replication);
      const { pack, maskLow, maskHigh } = ram.frames;
      return {
        replication,
        nonZeroPageCount: pack.reduce(
          (sum, index, frame) =>
            header.packs[index].replication === replication
              ? sum + maskPageCount(maskLow[frame], maskHigh[frame])
              : sum,
          0,
        ),
        packedBytes: packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
        packCount: packs.length,
      };
    });
}
