// Security.proto and acl.proto of Hadoop 3.4: tokens, and permissions.

import { bytes, string, uint32 } from '../wire/field-types.js';
import { message, type MessageOf, optional, repeated, required } from '../wire/message.js';

/** A block access token, empty unless the cluster asks for them, or a delegation token. */
export const token = message('TokenProto', {
  identifier: required(1, bytes),
  password: required(2, bytes),
  kind: required(3, string),
  service: required(4, string),
});
export type Token = MessageOf<typeof token>;

const maxTokenCount = 4_096;

export const credentials = message('CredentialsProto', {
  tokens: repeated(
    1,
    message('CredentialsKVProto', { alias: required(1, string), token: optional(2, token) }),
    maxTokenCount,
  ),
});

export const fsPermission = message('FsPermissionProto', { perm: required(1, uint32) });
