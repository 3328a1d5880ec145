// ClientNamenodeProtocol.proto of Hadoop 3.4: the calls to a NameNode, with their requests and answers.

import { bool, bytes, enumeration, string, uint32, uint64 } from '../wire/field-types.js';
import { type Message, message, optional, repeated, required } from '../wire/message.js';
import {
  blockStoragePolicy,
  contentSummary,
  dataEncryptionKey,
  datanodeInfo,
  directoryListing,
  erasureCodingPolicy,
  extendedBlock,
  fsServerDefaults,
  hdfsFileStatus,
  locatedBlock,
  locatedBlocks,
} from './hdfs.js';
import { fsPermission } from './security.js';

export const protocolName = 'org.apache.hadoop.hdfs.protocol.ClientProtocol';
export const protocolVersion = 1;

export interface Method<Request, Response> {
  readonly name: string;
  readonly request: Message<Request>;
  readonly response: Message<Response>;
}

/** CreateFlagProto. */
export const createFlags = {
  create: 1,
  /** Whole copies also in a folder with erasure coding. Hadoop 2, which has no such folders, takes no notice of it. */
  shouldReplicate: 0x80,
} as const;

/** More could not be left out: those are all nodes of the cluster. */
const maxNodeCount = 10_000;
const maxReportedCount = 100;
/** Erasure coding policies have numbers of one byte. */
const maxPolicyCount = 256;

export const getFileInfo = method(
  'getFileInfo',
  message('GetFileInfoRequestProto', { src: required(1, string) }),
  message('GetFileInfoResponseProto', { fs: optional(1, hdfsFileStatus) }),
);

export const getListing = method(
  'getListing',
  message('GetListingRequestProto', {
    src: required(1, string),
    startAfter: required(2, bytes),
    needLocation: required(3, bool),
  }),
  message('GetListingResponseProto', { dirList: optional(1, directoryListing) }),
);

export const getContentSummary = method(
  'getContentSummary',
  message('GetContentSummaryRequestProto', { path: required(1, string) }),
  message('GetContentSummaryResponseProto', { summary: required(1, contentSummary) }),
);

export const getServerDefaults = method(
  'getServerDefaults',
  message('GetServerDefaultsRequestProto', {}),
  message('GetServerDefaultsResponseProto', { serverDefaults: required(1, fsServerDefaults) }),
);

export const getDataEncryptionKey = method(
  'getDataEncryptionKey',
  message('GetDataEncryptionKeyRequestProto', {}),
  message('GetDataEncryptionKeyResponseProto', {
    dataEncryptionKey: optional(1, dataEncryptionKey),
  }),
);

export const getStoragePolicy = method(
  'getStoragePolicy',
  message('GetStoragePolicyRequestProto', { path: required(1, string) }),
  message('GetStoragePolicyResponseProto', { storagePolicy: required(1, blockStoragePolicy) }),
);

export const mkdirs = method(
  'mkdirs',
  message('MkdirsRequestProto', {
    src: required(1, string),
    masked: required(2, fsPermission),
    createParent: required(3, bool),
  }),
  message('MkdirsResponseProto', { result: required(1, bool) }),
);

export const setReplication = method(
  'setReplication',
  message('SetReplicationRequestProto', {
    src: required(1, string),
    replication: required(2, uint32),
  }),
  message('SetReplicationResponseProto', { result: required(1, bool) }),
);

export const rename2 = method(
  'rename2',
  message('Rename2RequestProto', {
    src: required(1, string),
    dst: required(2, string),
    overwriteDest: required(3, bool),
  }),
  message('Rename2ResponseProto', {}),
);

export const deleteFile = method(
  'delete',
  message('DeleteRequestProto', { src: required(1, string), recursive: required(2, bool) }),
  message('DeleteResponseProto', { result: required(1, bool) }),
);

export const create = method(
  'create',
  message('CreateRequestProto', {
    src: required(1, string),
    masked: required(2, fsPermission),
    clientName: required(3, string),
    createFlag: required(4, uint32),
    createParent: required(5, bool),
    replication: required(6, uint32),
    blockSize: required(7, uint64),
  }),
  message('CreateResponseProto', { fs: optional(1, hdfsFileStatus) }),
);

export const addBlock = method(
  'addBlock',
  message('AddBlockRequestProto', {
    src: required(1, string),
    clientName: required(2, string),
    excludeNodes: repeated(4, datanodeInfo, maxNodeCount),
    fileId: optional(5, uint64),
  }),
  message('AddBlockResponseProto', { block: required(1, locatedBlock) }),
);

export const complete = method(
  'complete',
  message('CompleteRequestProto', {
    src: required(1, string),
    clientName: required(2, string),
    last: optional(3, extendedBlock),
    fileId: optional(4, uint64),
  }),
  message('CompleteResponseProto', { result: required(1, bool) }),
);

export const fsync = method(
  'fsync',
  message('FsyncRequestProto', { src: required(1, string), client: required(2, string) }),
  message('FsyncResponseProto', {}),
);

export const renewLease = method(
  'renewLease',
  message('RenewLeaseRequestProto', { clientName: required(1, string) }),
  message('RenewLeaseResponseProto', {}),
);

export const getBlockLocations = method(
  'getBlockLocations',
  message('GetBlockLocationsRequestProto', {
    src: required(1, string),
    offset: required(2, uint64),
    length: required(3, uint64),
  }),
  message('GetBlockLocationsResponseProto', { locations: optional(1, locatedBlocks) }),
);

/** DatanodeReportTypeProto. */
export const liveDataNodes = 2;

export const getDatanodeReport = method(
  'getDatanodeReport',
  message('GetDatanodeReportRequestProto', { type: required(1, enumeration) }),
  message('GetDatanodeReportResponseProto', { di: repeated(1, datanodeInfo, maxNodeCount) }),
);

export const getErasureCodingPolicies = method(
  'getErasureCodingPolicies',
  message('GetErasureCodingPoliciesRequestProto', {}),
  message('GetErasureCodingPoliciesResponseProto', {
    ecPolicies: repeated(1, erasureCodingPolicy, maxPolicyCount),
  }),
);

export const reportBadBlocks = method(
  'reportBadBlocks',
  message('ReportBadBlocksRequestProto', { blocks: repeated(1, locatedBlock, maxReportedCount) }),
  message('ReportBadBlocksResponseProto', {}),
);

function method<Request, Response>(
  name: string,
  request: Message<Request>,
  response: Message<Response>,
): Method<Request, Response> {
  return { name, request, response };
}
