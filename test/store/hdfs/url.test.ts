// The URLs of stores by HDFS's own protocols.

import { parseHdfsUrl } from '../../../src/store/hdfs/url.js';

test.each([
  ['hdfs://nn', ['nn:8020'], '', undefined, 'hdfs://nn:8020/'],
  ['hdfs://nn:9000/a//b/', ['nn:9000'], '/a/b', undefined, 'hdfs://nn:9000/a/b'],
  [
    'hdfs://NN1,nn2:8021/x',
    ['nn1:8020', 'nn2:8021'],
    '/x',
    undefined,
    'hdfs://nn1:8020,nn2:8021/x',
  ],
  ['hdfs://alice@nn/x', ['nn:8020'], '/x', 'alice', 'hdfs://alice@nn:8020/x'],
  ['hdfs://a%20b@nn/%C3%A4', ['nn:8020'], '/ä', 'a b', 'hdfs://a%20b@nn:8020/%C3%A4'],
  ['hdfs://[::1]:8020/', ['[::1]:8020'], '', undefined, 'hdfs://[::1]:8020/'],
])('%s is read', (url, nameNodes, rootPath, userName, text) => {
  expect(parseHdfsUrl(url)).toEqual({ nameNodes, rootPath, userName, text });
});

test.each([
  ['webhdfs://nn/', 'does not begin with hdfs://'],
  ['hdfs:///a', "'' is not HOST:PORT"],
  ['hdfs://nn:0/', 'is not HOST:PORT'],
  ['hdfs://nn:70000/', 'is not HOST:PORT'],
  ['hdfs://nn,nn:8020/', 'twice'],
  ['hdfs://nn/a?user.name=b', 'a query or a fragment'],
  ['hdfs://nn/a#b', 'a query or a fragment'],
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
