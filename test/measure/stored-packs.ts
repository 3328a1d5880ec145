// What an upload without disks wrote, added up by replication: sizes as the store gave them back.
import type { Manifest } from '../../src/manifest/types.js';
import { maskPageCount } from '../../src/pack/mask.js';
import type { ReplicationFigures } from '../../src/report/model/image-figures.js';

export function packsByReplication({
  header,
  frames,
  spaces: [ram],
}: Manifest): ReplicationFigures[] {
  const replications = [...new Set(header.packs.map(({ replication = 0 }) => replication))];
  return replications
    .sort((a, b) => a - b)
    .map((replication) => {
      const packs = header.packs.filter((pack) => pack.replication === replication);
      const { frame, maskLow, maskHigh } = ram.places;
      return {
        replication,
        nonZeroPageCount: frame.reduce(
          (sum, index, place) =>
            header.packs[frames.pack[index]].replication === replication
              ? sum + maskPageCount(maskLow[place], maskHigh[place])
              : sum,
          0,
        ),
        packedBytes: packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
        zstdPackedBytes: undefined,
        packCount: packs.length,
      };
    });
}
