// When a DataNode that was started again takes requests.

import type { HdfsDataNode } from './cluster.js';

/** Until each answers: the NameNode may not have noticed that it was away, and so count it among the live ones before. */
export async function untilAnswering(dataNodes: readonly HdfsDataNode[]): Promise<void> {
  for (const { httpAddress } of dataNodes) {
    for (let isUp = false; !isUp;) {
      isUp = await fetch(`http://${httpAddress}/`).then(
        () => true,
        () => false,
      );
      if (!isUp) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }
}
