// Which NameNodes stand behind a name.

import { Configuration } from '../../../../src/store/hadoop/configuration/configuration.js';
import {
  defaultAuthority,
  nameNodesOfService,
} from '../../../../src/store/hadoop/configuration/name-services.js';

function configurationOf(values: Readonly<Record<string, string>>): Configuration {
  const properties = Object.entries(values).map(([name, value]) => {
    return { kind: 'property', name, value, isFinal: false, file: '/conf/hdfs-site.xml' } as const;
  });
  return new Configuration('/conf', properties);
}

const ha = {
  'dfs.nameservices': 'ns, other',
  'dfs.ha.namenodes.ns': 'nn1,nn2',
  'dfs.namenode.rpc-address.ns.nn1': 'Host1:8021',
  'dfs.namenode.rpc-address.ns.nn2': 'host2',
  'dfs.namenode.rpc-address.other': 'host3:9000',
};

test('several NameNodes, one, and a name that is none', () => {
  const configuration = configurationOf(ha);
  expect(nameNodesOfService(configuration, 'ns')).toEqual(['host1:8021', 'host2:8020']);
  expect(nameNodesOfService(configuration, 'other')).toEqual(['host3:9000']);
  expect(nameNodesOfService(configuration, 'host')).toBeUndefined();
  expect(nameNodesOfService(configuration, 'NS')).toBeUndefined();
});

test.each([
  [{ 'dfs.namenode.rpc-address.ns.nn2': '' }, 'ns', 'found none'],
  [{ 'dfs.namenode.rpc-address.ns.nn2': 'a b' }, 'ns', "'a b' is not HOST:PORT"],
  [{ 'dfs.namenode.rpc-address.ns.nn2': 'a,b' }, 'ns', 'expected one host:port, found a,b'],
  [{ 'dfs.namenode.rpc-address.ns.nn2': 'HOST1:8021' }, 'ns', 'two of its NameNodes'],
  [{ 'dfs.namenode.rpc-address.other': '' }, 'other', 'found none'],
])('%j is refused with its property', (changed, service, words) => {
  const configuration = configurationOf({ ...ha, ...changed });
  const ask = () => nameNodesOfService(configuration, service);
  expect(ask).toThrow(words);
  expect(ask).toThrow(/dfs\.(namenode\.rpc-address|ha\.namenodes)\.(ns|other)/);
  expect(ask).toThrow('/conf');
});

test('the default is a name, a host, or no HDFS', () => {
  const ask = (url: string) => defaultAuthority(configurationOf({ 'fs.defaultFS': url }));
  expect(ask('hdfs://ns')).toBe('ns');
  expect(ask('hdfs://Host:9000/')).toBe('Host:9000');
  for (const url of ['file:///', 'hdfs:///', 'viewfs://x', 'hdfs://me@host/', '']) {
    expect(() => ask(url)).toThrow('fs.defaultFS');
  }
});
