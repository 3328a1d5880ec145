// What is a local store's URL.

import { ParsError } from '../../../introspect/pars-error.js';
import { parseLocalUrl } from '../../../src/store/local/url.js';

describe('a local store URL', () => {
  it('with a folder means five disks in it', () => {
    expect(parseLocalUrl('file:///srv/a%20b')).toEqual({
      diskFolders: [1, 2, 3, 4, 5].map((diskNumber) => `/srv/a b/disk${diskNumber}`),
      ownsFolders: true,
    });
  });

  it('with disks means just these', () => {
    expect(parseLocalUrl('file:///?disks=/mnt/a/,/mnt/b%2Cc,/mnt/d+e')).toEqual({
      diskFolders: ['/mnt/a', '/mnt/b,c', '/mnt/d+e'],
      ownsFolders: false,
    });
    expect(parseLocalUrl('file:///?disks=/mnt/a').diskFolders).toEqual(['/mnt/a']);
  });

  const tooMany = Array.from({ length: 65 }, (_, index) => `/mnt/${index}`).join(',');
  for (const [url, reason] of [
    ['file:///', 'no folder'],
    ['file://host/srv', "the host 'host'"],
    ['file:///srv#part', 'fragment'],
    ['file:///srv?disks=/mnt/a', 'both'],
    ['file:///?disks=', 'not an absolute path'],
    ['file:///?disks=/mnt/a,', 'not an absolute path'],
    ['file:///?disks=mnt/a', 'not an absolute path'],
    ['file:///?disks=/mnt/a,/mnt/a/', 'twice'],
    ['file:///?disks=/mnt/a&disks=/mnt/b', 'query'],
    ['file:///?disk=/mnt/a', 'query'],
    ['file:///?disks=%ZZ', 'percent-encoding'],
    ['file:///srv/%2Fetc', 'percent-encoding'],
    [`file:///?disks=${tooMany}`, 'at most 64'],
    ['http://host/', 'no file: URL'],
  ]) {
    it(`is not ${url.slice(0, 40)}`, () => {
      let thrown: unknown;
      try {
        parseLocalUrl(url);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(ParsError);
      expect(thrown).toMatchObject({
        code: 'usage',
        message: expect.stringContaining(reason) as string,
      });
    });
  }
});
