import { ParsError } from '../../../introspect/pars-error.js';
import { parseWebHdfsUrl } from '../../../src/store/webhdfs/url.js';

function refusalOf(text: string): ParsError {
  try {
    parseWebHdfsUrl(text);
  } catch (error) {
    if (error instanceof ParsError) {
      return error;
    }
    throw error;
  }
  throw new Error(`${text} was taken`);
}

describe('the URL of a WebHDFS store', () => {
  it('names one NameNode, a path and a user', () => {
    expect(parseWebHdfsUrl('webhdfs://NN.example:9870/user/vm?user.name=alice')).toEqual({
      scheme: 'http',
      nameNodes: ['nn.example:9870'],
      rootPath: '/user/vm',
      userName: 'alice',
      dataNodes: new Map(),
      gatewayPath: '',
      text: 'webhdfs://nn.example:9870/user/vm?user.name=alice',
    });
  });

  it('may name several NameNodes', () => {
    expect(parseWebHdfsUrl('webhdfs://a:1,b:2,[::1]:3/').nameNodes).toEqual([
      'a:1',
      'b:2',
      '[::1]:3',
    ]);
  });

  it('has the ports of hdfs-default.xml unless it gives its own', () => {
    expect(parseWebHdfsUrl('webhdfs://a,b:1/').nameNodes).toEqual(['a:9870', 'b:1']);
    expect(parseWebHdfsUrl('swebhdfs://a/')).toMatchObject({
      scheme: 'https',
      nameNodes: ['a:9871'],
      text: 'swebhdfs://a:9871/',
    });
  });

  it.each(['webhdfs://a:1', 'webhdfs://a:1/', 'webhdfs://a:1//'])(
    'may have the root folder as its path: %s',
    (text) => {
      expect(parseWebHdfsUrl(text)).toMatchObject({ rootPath: '', text: 'webhdfs://a:1/' });
    },
  );

  it('is percent-decoded once, and its normal form parses to the same', () => {
    const url = parseWebHdfsUrl('webhdfs://a:1/x%20y/%25?user.name=a%26b');
    expect(url).toMatchObject({ rootPath: '/x y/%', userName: 'a&b' });
    expect(parseWebHdfsUrl(url.text)).toEqual(url);
  });

  it('may say where DataNodes are reached, by name or by name and port', () => {
    const url = parseWebHdfsUrl(
      'webhdfs://a:1/p?user.name=alice&datanodes=DN1=10.0.0.5,dn2:9864=[::1]:1864',
    );
    expect([...url.dataNodes]).toEqual([
      ['dn1', '10.0.0.5'],
      ['dn2:9864', '[::1]:1864'],
    ]);
    expect(url.text).toBe(
      'webhdfs://a:1/p?user.name=alice&datanodes=dn1=10.0.0.5,dn2:9864=[::1]:1864',
    );
    expect(parseWebHdfsUrl(url.text)).toEqual(url);
  });

  it('of a gateway has its path before webhdfs/v1, and the path in HDFS behind', () => {
    const url = parseWebHdfsUrl('swebhdfs://knox:8443/gateway/default/webhdfs/v1/user/vm');
    expect(url).toMatchObject({ gatewayPath: '/gateway/default', rootPath: '/user/vm' });
    expect(parseWebHdfsUrl(url.text)).toEqual(url);
    expect(parseWebHdfsUrl('webhdfs://a:1/webhdfs/v1')).toMatchObject({
      gatewayPath: '',
      rootPath: '',
    });
    expect(parseWebHdfsUrl('webhdfs://a:1/user/webhdfs/v2')).toMatchObject({
      gatewayPath: '',
      rootPath: '/user/webhdfs/v2',
    });
  });

  it.each([
    'webhdfs://a/?datanodes=',
    'webhdfs://a/?datanodes=dn1',
    'webhdfs://a/?datanodes=dn1=b=c',
    'webhdfs://a/?datanodes=dn1=b:0',
    'webhdfs://a/?datanodes=dn1=b,dn1=c',
    'webhdfs://a/?datanodes=dn1=b/c',
    'hdfs://a:8020/',
    'http://a:9870/',
    'webhdfs:/a',
    'webhdfs:///path',
    'webhdfs://a:0/',
    'webhdfs://a:99999/',
    'webhdfs://a:x/',
    'webhdfs://a b/',
    'webhdfs://a:1,/',
    'webhdfs://a:1,a:1/',
    'webhdfs://a/../b',
    'webhdfs://a/x%2Fy',
    'webhdfs://a/%zz',
    'webhdfs://a/?user.name=',
    'webhdfs://a/?op=OPEN',
    'webhdfs://a/#b',
  ])('is refused as usage when it is %s', (text) => {
    expect(refusalOf(text)).toMatchObject({
      code: 'usage',
      message: expect.stringContaining('webhdfs://HOST:PORT') as unknown,
    });
  });

  it.each(['webhdfs://alice:hunter2@a:1/', 'webhdfs://a:1/?delegation=hunter2'])(
    'is refused without repeating a secret',
    (text) => {
      expect(refusalOf(text).code).toBe('usage');
      expect(refusalOf(text).message).not.toContain('hunter2');
    },
  );
});
