// hdfs.proto of Hadoop 3.4: blocks, nodes and files, as the NameNode describes them and DataNodes know them.

import {
  anyUint64,
  bool,
  bytes,
  enumeration,
  string,
  uint32,
  uint64,
} from '../wire/field-types.js';
import { message, type MessageOf, optional, repeated, required } from '../wire/message.js';
import { token } from './security.js';

/** No cluster has more DataNodes, and a block is on a few. */
const maxLocationCount = 10_000;
/** A file of pars is one block; of another program's this would be 1 TiB in blocks of 1 MiB. */
const maxBlockCount = 2 ** 20;
/** The most entries of one page of a listing; dfs.ls.limit is 1000 unless a cluster says otherwise. */
const maxPageLength = 100_000;
const maxStorageTypeCount = 64;

export const extendedBlock = message('ExtendedBlockProto', {
  poolId: required(1, string),
  blockId: required(2, anyUint64),
  generationStamp: required(3, anyUint64),
  numBytes: optional(4, uint64),
});
export type ExtendedBlock = MessageOf<typeof extendedBlock>;

export const datanodeId = message('DatanodeIDProto', {
  ipAddr: required(1, string),
  hostName: required(2, string),
  datanodeUuid: required(3, string),
  xferPort: required(4, uint32),
  infoPort: required(5, uint32),
  ipcPort: required(6, uint32),
  infoSecurePort: optional(7, uint32),
});

export const datanodeInfo = message('DatanodeInfoProto', {
  id: required(1, datanodeId),
  /** The path of its rack in the network. */
  location: optional(8, string),
  /** AdminState: 0, or absent, where it is in service. */
  adminState: optional(10, enumeration),
});
export type DatanodeInfo = MessageOf<typeof datanodeInfo>;

export const contentSummary = message('ContentSummaryProto', {
  /** 0 for a file. */
  directoryCount: required(3, uint64),
  /** Length times replication, or data and parity where coded: by the file's settings, not by what is alive. */
  spaceConsumed: required(5, uint64),
});

/** StorageTypeProto. */
export const storageTypes: Readonly<Partial<Record<number, string>>> = {
  1: 'DISK',
  2: 'SSD',
  3: 'ARCHIVE',
  4: 'RAM_DISK',
  5: 'PROVIDED',
  6: 'NVDIMM',
};

export const storageTypeList = message('StorageTypesProto', {
  storageTypes: repeated(1, enumeration, maxStorageTypeCount),
});

export const blockStoragePolicy = message('BlockStoragePolicyProto', {
  name: required(2, string),
  creationPolicy: required(3, storageTypeList),
  /** What a new file may lie on where the others are not to be had. */
  creationFallbackPolicy: optional(4, storageTypeList),
});

export const locatedBlock = message('LocatedBlockProto', {
  b: required(1, extendedBlock),
  offset: required(2, uint64),
  locs: repeated(3, datanodeInfo, maxLocationCount),
  /** Every copy there is is corrupt. */
  corrupt: required(4, bool),
  blockToken: required(5, token),
  storageTypes: repeated(7, enumeration, maxLocationCount),
  storageIDs: repeated(8, string, maxLocationCount),
  /** Which unit of a group each location has, a byte for each; only in blocks that are coded. */
  blockIndices: optional(9, bytes),
});
export type LocatedBlock = MessageOf<typeof locatedBlock>;

export const erasureCodingPolicy = message('ErasureCodingPolicyProto', {
  /** RS-6-3-1024k. Left out of those that Hadoop itself defines. */
  name: optional(1, string),
  id: required(4, uint32),
  /** ErasureCodingPolicyState: 2, or absent, where it is enabled. Only in the list of policies. */
  state: optional(5, enumeration),
});
export type ErasureCodingPolicy = MessageOf<typeof erasureCodingPolicy>;

export const locatedBlocks = message('LocatedBlocksProto', {
  fileLength: required(1, uint64),
  blocks: repeated(2, locatedBlock, maxBlockCount),
  /** The key of a file in an encryption zone, which only the KMS can open. */
  fileEncryptionInfo: optional(6, bytes),
  ecPolicy: optional(7, erasureCodingPolicy),
});

/** HdfsFileStatusProto.FileType. */
export const fileTypes = { folder: 1, file: 2 } as const;

export const hdfsFileStatus = message('HdfsFileStatusProto', {
  fileType: required(1, enumeration),
  /** The name within the folder that was listed; empty for the path itself. */
  path: required(2, bytes),
  length: required(3, anyUint64),
  modificationTime: required(7, anyUint64),
  /** Copies that a file is to have; 0 of a folder and of a coded file. */
  blockReplication: optional(10, uint32),
  /** The inode's number. */
  fileId: optional(13, uint64),
  ecPolicy: optional(17, erasureCodingPolicy),
});
export type HdfsFileStatus = MessageOf<typeof hdfsFileStatus>;

export const directoryListing = message('DirectoryListingProto', {
  partialListing: repeated(1, hdfsFileStatus, maxPageLength),
  remainingEntries: required(2, uint32),
});

/** ChecksumTypeProto. */
export const checksumTypes = { none: 0, crc32: 1, crc32c: 2 } as const;

/** What a DataNode proves itself with where the cluster encrypts all transfer. */
export const dataEncryptionKey = message('DataEncryptionKeyProto', {
  keyId: required(1, uint32),
  blockPoolId: required(2, string),
  nonce: required(3, bytes),
  encryptionKey: required(4, bytes),
  /** Milliseconds since 1970. */
  expiryDate: required(5, anyUint64),
  encryptionAlgorithm: optional(6, string),
});
export type DataEncryptionKey = MessageOf<typeof dataEncryptionKey>;

export const fsServerDefaults = message('FsServerDefaultsProto', {
  encryptDataTransfer: optional(6, bool),
});
