// datatransfer.proto of Hadoop 3.4: what is said to a DataNode, and what it answers.

import {
  anyUint64,
  bool,
  bytes,
  enumeration,
  sfixed32,
  sfixed64,
  sint64,
  string,
  uint32,
  uint64,
} from '../wire/field-types.js';
import { message, type MessageOf, optional, repeated, required } from '../wire/message.js';
import { datanodeInfo, extendedBlock } from './hdfs.js';
import { token } from './security.js';

/** DataTransferProtocol.DATA_TRANSFER_VERSION, the same since Hadoop 0.23. */
export const transferVersion = 28;
/** Op of org.apache.hadoop.hdfs.protocol.datatransfer. */
export const operations = { writeBlock: 80, readBlock: 81 } as const;

/** Status. */
export const statuses = { success: 0, checksumOk: 6 } as const;
const statusNames: Readonly<Partial<Record<number, string>>> = {
  1: 'ERROR',
  2: 'ERROR_CHECKSUM',
  3: 'ERROR_INVALID',
  4: 'ERROR_EXISTS',
  5: 'ERROR_ACCESS_TOKEN',
  7: 'ERROR_UNSUPPORTED',
  8: 'OOB_RESTART',
  12: 'IN_PROGRESS',
};

export function statusInWords(status: number): string {
  return statusNames[status] ?? `status ${status}`;
}

/** BlockConstructionStage. */
export const stages = { pipelineSetupCreate: 6 } as const;

/** The most nodes of a pipeline that are taken; dfs.replication.max is 512 unless a cluster says otherwise. */
const maxPipelineLength = 10_000;

export const baseHeader = message('BaseHeaderProto', {
  block: required(1, extendedBlock),
  token: optional(2, token),
});

export const clientOperationHeader = message('ClientOperationHeaderProto', {
  baseHeader: required(1, baseHeader),
  clientName: required(2, string),
});

export const checksum = message('ChecksumProto', {
  type: required(1, enumeration),
  bytesPerChecksum: required(2, uint32),
});

export const opReadBlock = message('OpReadBlockProto', {
  header: required(1, clientOperationHeader),
  offset: required(2, uint64),
  len: required(3, uint64),
  /** The DataNode sends checksums unless this is false. */
  sendChecksums: optional(4, bool),
});

export const opWriteBlock = message('OpWriteBlockProto', {
  header: required(1, clientOperationHeader),
  /** The nodes of the pipeline after the one that this is said to. */
  targets: repeated(2, datanodeInfo, maxPipelineLength),
  stage: required(4, enumeration),
  pipelineSize: required(5, uint32),
  minBytesRcvd: required(6, uint64),
  maxBytesRcvd: required(7, uint64),
  latestGenerationStamp: required(8, anyUint64),
  requestedChecksum: required(9, checksum),
  storageType: optional(11, enumeration),
  targetStorageTypes: repeated(12, enumeration, maxPipelineLength),
  storageId: optional(16, string),
  targetStorageIds: repeated(17, string, maxPipelineLength),
});

export const packetHeader = message('PacketHeaderProto', {
  offsetInBlock: required(1, sfixed64),
  seqno: required(2, sfixed64),
  lastPacketInBlock: required(3, bool),
  dataLen: required(4, sfixed32),
});
export type PacketHeader = MessageOf<typeof packetHeader>;

export const pipelineAck = message('PipelineAckProto', {
  seqno: required(1, sint64),
  /** A status of each node, in the order of the pipeline. */
  reply: repeated(2, enumeration, maxPipelineLength),
});

export const readOpChecksumInfo = message('ReadOpChecksumInfoProto', {
  checksum: required(1, checksum),
  /** Where the first chunk begins that is sent: a read begins at a chunk's boundary. */
  chunkOffset: required(2, uint64),
});

export const blockOpResponse = message('BlockOpResponseProto', {
  status: required(1, enumeration),
  /** `address:port` of the node that did not join the pipeline. */
  firstBadLink: optional(2, string),
  readOpChecksumInfo: optional(4, readOpChecksumInfo),
  message: optional(5, string),
});

export const clientReadStatus = message('ClientReadStatusProto', {
  status: required(1, enumeration),
});

/** DataTransferSaslUtil.SASL_TRANSFER_MAGIC_NUMBER, which stands where the version of an operation would. */
export const handshakeMagic = 0xdeadbeef;

/** DataTransferEncryptorStatus. */
export const handshakeStatuses = { success: 0, unknownKey: 1 } as const;
/** CipherSuiteProto. */
export const cipherSuites = { aesCtr: 2 } as const;

/** Keys and where their streams begin, made by the DataNode: `in` is what it receives. */
export const cipherOption = message('CipherOptionProto', {
  suite: required(1, enumeration),
  inKey: optional(2, bytes),
  inIv: optional(3, bytes),
  outKey: optional(4, bytes),
  outIv: optional(5, bytes),
});
export type CipherOption = MessageOf<typeof cipherOption>;

const maxCipherOptionCount = 16;

export const handshakeMessage = message('DataTransferEncryptorMessageProto', {
  status: required(1, enumeration),
  payload: optional(2, bytes),
  message: optional(3, string),
  cipherOption: repeated(4, cipherOption, maxCipherOptionCount),
});
export type HandshakeMessage = MessageOf<typeof handshakeMessage>;
