// What the NameNode says about itself over JMX: which DataNodes it holds for alive.

import { z } from 'zod';

const liveNodes = z.object({
  beans: z.array(z.object({ NumLiveDataNodes: z.number() })),
});

/** Undefined as long as nothing answers. */
export async function liveDataNodeCount(nameNodeHttpUrl: string): Promise<number | undefined> {
  const query = '/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState';
  try {
    const answer = await fetch(nameNodeHttpUrl + query);
    return liveNodes.parse(await answer.json()).beans[0]?.NumLiveDataNodes;
  } catch {
    // Refused, reset, or a page that is not yet JMX: it is still starting.
    return undefined;
  }
}
