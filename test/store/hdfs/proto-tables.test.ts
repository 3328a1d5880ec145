// The tables of messages, judged by the classes that Hadoop made of its own .proto files.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as clientNamenodeProtocol from '../../../src/store/hdfs/proto/client-namenode-protocol.js';
import * as datatransfer from '../../../src/store/hdfs/proto/datatransfer.js';
import * as hdfs from '../../../src/store/hdfs/proto/hdfs.js';
import * as rpcHeader from '../../../src/store/hdfs/proto/rpc-header.js';
import * as security from '../../../src/store/hdfs/proto/security.js';
import type { Fields, Message } from '../../../src/store/hdfs/wire/message.js';
import { hadoopJars } from '../../hdfs/java-command.js';

const hadoopClasses = [
  'org.apache.hadoop.ipc.protobuf.RpcHeaderProtos',
  'org.apache.hadoop.ipc.protobuf.ProtobufRpcEngine2Protos',
  'org.apache.hadoop.ipc.protobuf.IpcConnectionContextProtos',
  'org.apache.hadoop.security.proto.SecurityProtos',
  'org.apache.hadoop.hdfs.protocol.proto.AclProtos',
  'org.apache.hadoop.hdfs.protocol.proto.HdfsProtos',
  'org.apache.hadoop.hdfs.protocol.proto.ClientNamenodeProtocolProtos',
  'org.apache.hadoop.hdfs.protocol.proto.ErasureCodingProtos',
  'org.apache.hadoop.hdfs.protocol.proto.DataTransferProtos',
];

type AnyMessage = Message<never>;

function isMessage(value: unknown): value is AnyMessage {
  return typeof value === 'object' && value !== null && 'fields' in value;
}

function messagesOf(value: unknown): readonly AnyMessage[] {
  if (isMessage(value)) {
    return [value];
  }
  // A method has two.
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  return Object.values(value as Record<string, unknown>).filter(isMessage);
}

const tables = [clientNamenodeProtocol, datatransfer, hdfs, rpcHeader, security]
  .flatMap((module) => Object.values(module as Record<string, unknown>))
  .flatMap(messagesOf);

/** A value with every field there is, numbers and lengths of each their own. */
function sampleOf(fields: Fields): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, { number, type, label }]) => {
      const value = sampleValue(type, number);
      return [key, label === 'repeated' ? [value, value] : value];
    }),
  );
}

/** A value for a field. For an enumeration it is 1, which every one of Hadoop's has: others would be unknown to its classes. */
function sampleValue(type: unknown, number: number): unknown {
  if (isMessage(type)) {
    return sampleOf(type.fields);
  }
  const { name } = type as { name: string };
  switch (name) {
    case 'string':
      return 'ä'.repeat(number);
    case 'bytes':
      // In place of a message that is passed over unread: fields that nobody knows.
      return Buffer.alloc(3 * number, Buffer.from([0xf8, 0x07, number]));
    case 'bool':
      return true;
    case 'enum':
      return 1;
    case 'uint64':
      return typeof zeroOf(type) === 'bigint' ? 2n ** 64n - BigInt(number) : 2 ** 53 - number;
    case 'uint32':
      return 2 ** 32 - number;
    default:
      return -1000 * number;
  }
}

function zeroOf(type: unknown): unknown {
  return (type as { read: (from: unknown) => unknown }).read({
    varint: () => 0,
    varint64: () => 0n,
  });
}

async function judged(lines: readonly string[]): Promise<readonly string[]> {
  const jars = await hadoopJars();
  const judge = join(import.meta.dirname, 'ProtoJudge.java');
  const args = ['-XX:TieredStopAtLevel=1', '-cp', jars.join(':'), judge, ...hadoopClasses];
  const running = promisify(execFile)('java', args, { maxBuffer: 2 ** 24, timeout: 110_000 });
  running.child.stdin?.end(lines.map((line) => `${line}\n`).join(''));
  return (await running).stdout.trimEnd().split('\n');
}

/** What is sent to Hadoop, and not only read from it. */
const sentPattern =
  /Request(Header)?Proto$|^Op|ContextProto$|PacketHeaderProto|ClientReadStatusProto/;

test('each field is as Hadoop has it, and a message of all fields is read and written alike there', async () => {
  expect(tables.length).toBeGreaterThan(40);
  const samples = tables.map(
    (table) => `${table.name} ${table.encode(sampleOf(table.fields) as never).toString('hex')}`,
  );
  const found = await judged(samples);
  const fields = tables.flatMap(({ name, fields }) =>
    Object.values(fields).map(
      ({ number, label, type }) => `field ${name} ${number} ${label} ${type.name}`,
    ),
  );
  const theirs = found
    .filter((line) => line.startsWith('field '))
    // Keys and schemes are passed over unread.
    .map((line) => line.replace(/FileEncryptionInfoProto$/, 'bytes'));
  expect(fields.filter((line) => !theirs.includes(line))).toEqual([]);
  const partial = found.filter((line) => line.startsWith('partial '));
  expect(partial.length).toBeGreaterThan(0);
  expect(partial.filter((line) => sentPattern.test(line.split(' ')[1]))).toEqual([]);
  expect(found.filter((line) => line.startsWith('bytes '))).toEqual(
    samples.map((line) => `bytes ${line}`),
  );
});
