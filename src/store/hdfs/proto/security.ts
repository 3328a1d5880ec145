// Security.proto and acl.proto of Hadoop 3.4: tokens, which are passed on unread, and permissions.

import { bytes, string, uint32 } from '../wire/field-types.js';
import { message, type MessageOf, required } from '../wire/message.js';

/** A block access token: empty unless the cluster asks for them. */
export const token = message('TokenProto', {
  identifier: required(1, bytes),
  password: required(2, bytes),
  kind: required(3, string),
  service: required(4, string),
});
export type Token = MessageOf<typeof token>;

export const fsPermission = message('FsPermissionProto', { perm: required(1, uint32) });
