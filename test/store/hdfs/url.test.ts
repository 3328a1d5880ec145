// The URLs of stores by HDFS's own protocols.

import { parseHdfsUrl } from '../../../src/store/hdfs/url.js';

const hosts = (...nameNodes: readonly string[]) => ({ kind: 'name-nodes', nameNodes });
const name = (written: string) => ({ kind: 'name', name: written });

test.each([
  ['hdfs://nn', name('nn'), '', undefined, 'hdfs://nn/'],
  ['hdfs://Cluster/a', name('Cluster'), '/a', undefined, 'hdfs://Cluster/a'],
  ['hdfs:///a', { kind: 'default' }, '/a', undefined, 'hdfs:///a'],
  ['hdfs://alice@/a', { kind: 'default' }, '/a', 'alice', 'hdfs://alice@/a'],
  ['hdfs://nn:9000/a//b/', hosts('nn:9000'), '/a/b', undefined, 'hdfs://nn:9000/a/b'],
  [
    'hdfs://NN1,nn2:8021/x',
    hosts('nn1:8020', 'nn2:8021'),
    '/x',
    undefined,
    'hdfs://nn1:8020,nn2:8021/x',
  ],
  ['hdfs://alice@nn:1/x', hosts('nn:1'), '/x', 'alice', 'hdfs://alice@nn:1/x'],
  ['hdfs://a%20b@nn/%C3%A4', name('nn'), '/ä', 'a b', 'hdfs://a%20b@nn/%C3%A4'],
  ['hdfs://[::1]:8020/', hosts('[::1]:8020'), '', undefined, 'hdfs://[::1]:8020/'],
])('%s is read', (url, authority, rootPath, userName, text) => {
  const found = parseHdfsUrl(url);
  expect(found).toEqual({ authority, rootPath, userName, dataNodes: new Map(), text });
  expect(parseHdfsUrl(found.text)).toEqual(found);
});

test('DataNodes are mapped as for WebHDFS', () => {
  const url = parseHdfsUrl('hdfs://nn/a?datanodes=DN1=10.0.0.5,dn2:9866=10.0.0.9:1866');
  expect([...url.dataNodes]).toEqual([
    ['dn1', '10.0.0.5'],
    ['dn2:9866', '10.0.0.9:1866'],
  ]);
  expect(parseHdfsUrl(url.text)).toEqual(url);
});

test.each([
  ['webhdfs://nn/', 'does not begin with hdfs://'],
  ['hdfs://nn:0/', 'is not HOST:PORT'],
  ['hdfs://nn:70000/', 'is not HOST:PORT'],
  ['hdfs://nn,nn:8020/', 'twice'],
  ['hdfs://nn/a?user.name=b', "its query has 'user.name'"],
  ['hdfs://nn/a?datanodes=x', 'is not NAME[:PORT]=ADDRESS[:PORT]'],
  ['hdfs://nn/a#b', 'a fragment'],
  ['hdfs://a b/', 'is not HOST:PORT'],
  ['hdfs://@nn/', 'no user'],
  ['hdfs://nn/../a', 'cannot be part of an HDFS path'],
  ['hdfs://nn/a%2Fb', 'cannot be part of an HDFS path'],
  ['hdfs://nn/%zz', 'percent-encoding'],
])('%s is refused, and the form is said', (url, found) => {
  expect(() => parseHdfsUrl(url)).toThrow(
    expect.objectContaining({
      code: 'usage',
      message: expect.stringMatching(/expected hdfs:\/\/\[USER@\]/) as string,
    }) as Error,
  );
  expect(() => parseHdfsUrl(url)).toThrow(found);
});

test('a password is refused, and not repeated', () => {
  for (const url of ['hdfs://me:secret@nn/', 'hdfs://nn/?token=secret']) {
    expect(() => parseHdfsUrl(url)).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: expect.not.stringContaining('secret') as string,
      }) as Error,
    );
  }
});
