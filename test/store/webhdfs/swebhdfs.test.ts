// The same store over TLS, against a real HDFS with a certificate of its own.

import { ParsError } from '../../../introspect/pars-error.js';
import { copies } from '../../../src/store/redundancy.js';
import { openWebHdfsStore } from '../../../src/store/webhdfs/webhdfs-store.js';
import { type HdfsCluster, startHdfs } from '../../hdfs/cluster.js';

let cluster: HdfsCluster;
beforeAll(async () => {
  cluster = await startHdfs({ dataNodeCount: 1, tls: true });
});
afterAll(async () => {
  await cluster.close();
});

describe('a store over TLS', () => {
  it('writes and reads when the authority is trusted', async () => {
    const store = await openWebHdfsStore(cluster.webhdfsUrl('/tls'), { ca: cluster.tls?.ca ?? '' });
    try {
      const bytes = new Uint8Array(700_000).fill(7);
      const options = { redundancy: copies(1), blockSizeBytes: 1024 * 1024 };
      expect(await store.write('a', () => [bytes], options)).toBe(bytes.length);
      const found = await store.read('a', 0, bytes.length);
      expect(Buffer.compare(found, bytes)).toBe(0);
      expect(store.url).toMatch(/^swebhdfs:/);
    } finally {
      await store.close();
    }
  });

  it('is refused as usage when it is not, and says what to do', async () => {
    const opening = openWebHdfsStore(cluster.webhdfsUrl('/tls'));
    const error = await opening.then(
      () => undefined,
      (failure: unknown) => failure,
    );
    expect(error).toBeInstanceOf(ParsError);
    expect(error).toMatchObject({
      code: 'usage',
      message: expect.stringContaining('NODE_EXTRA_CA_CERTS') as unknown,
    });
  });
});
