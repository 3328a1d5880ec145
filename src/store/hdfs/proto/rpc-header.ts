// RpcHeader.proto, IpcConnectionContext.proto and ProtobufRpcEngine2.proto of Hadoop 3.4: what stands around each call.

import { bytes, enumeration, sint32, string, uint32, uint64 } from '../wire/field-types.js';
import { message, type MessageOf, optional, repeated, required } from '../wire/message.js';

export const userInformation = message('UserInformationProto', {
  effectiveUser: optional(1, string),
});

export const ipcConnectionContext = message('IpcConnectionContextProto', {
  userInfo: optional(2, userInformation),
  protocol: optional(3, string),
});

export const rpcKind = { protocolBuffer: 2 } as const;
export const rpcOperation = { finalPacket: 0 } as const;

export const rpcRequestHeader = message('RpcRequestHeaderProto', {
  rpcKind: optional(1, enumeration),
  rpcOp: optional(2, enumeration),
  callId: required(3, sint32),
  clientId: required(4, bytes),
  retryCount: optional(5, sint32),
});

export const rpcStatus = { success: 0, error: 1, fatal: 2 } as const;

export const rpcResponseHeader = message('RpcResponseHeaderProto', {
  /** The number of a call that a client made. Those of the connection itself are negative there and large here. */
  callId: required(1, uint32),
  status: required(2, enumeration),
  exceptionClassName: optional(4, string),
  errorMsg: optional(5, string),
});

export const requestHeader = message('RequestHeaderProto', {
  methodName: required(1, string),
  declaringClassProtocolName: required(2, string),
  clientProtocolVersion: required(3, uint64),
});

/** RpcSaslProto.SaslState. */
export const saslStates = {
  success: 0,
  negotiate: 1,
  initiate: 2,
  challenge: 3,
  response: 4,
  /** What is said after an agreement to protect it. */
  wrap: 5,
} as const;

/** There are half a dozen. */
const maxMethodCount = 64;

const saslMethod = message('SaslAuth', {
  /** TOKEN, KERBEROS, SIMPLE. */
  method: required(1, string),
  mechanism: required(2, string),
  protocol: optional(3, string),
  serverId: optional(4, string),
  challenge: optional(5, bytes),
});
export type SaslMethod = MessageOf<typeof saslMethod>;

export const rpcSasl = message('RpcSaslProto', {
  version: optional(1, uint32),
  state: required(2, enumeration),
  token: optional(3, bytes),
  auths: repeated(4, saslMethod, maxMethodCount),
});
export type RpcSasl = MessageOf<typeof rpcSasl>;
