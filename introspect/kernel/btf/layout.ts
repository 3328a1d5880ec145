// The bytes of BTF (include/uapi/linux/btf.h; Documentation/bpf/btf.rst).
//
//   header   u16 magic, u8 version, u8 flags, u32 hdr_len, u32 type_off, type_len, str_off, str_len (from header's end)
//   type     u32 name_off, u32 info, u32 size|type, then a payload by kind
//   info     bits 0-23 vlen, 24-30 kind, 31 kind_flag; before 7.2 the upper bits of both were zero

export const btfMagic = 0xeb9f;
export const btfVersion = 1;
export const headerMinBytes = 24;
/** A vmlinux's types and strings are 3.5 to 6 MB together; ten times that is damage. */
export const btfLimitBytes = 64 * 1024 * 1024;
/** A vmlinux has 100,000 to 200,000. */
export const btfTypeLimit = 1_000_000;

export const typeRecordBytes = 12;

export const kinds = {
  int: 1,
  pointer: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  forward: 7,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  function: 12,
  functionPrototype: 13,
  variable: 14,
  dataSection: 15,
  float: 16,
  declarationTag: 17,
  typeTag: 18,
  enum64: 19,
} as const;

export const vlenOf = (info: number): number => info & 0xff_ffff;
export const kindOf = (info: number): number => (info >>> 24) & 0x7f;
export const kindFlagOf = (info: number): boolean => info >>> 31 === 1;

/** Bytes after the 12 of the record; undefined for a kind that this table does not know. */
export function payloadBytes(kind: number, vlen: number): number | undefined {
  switch (kind) {
    case kinds.pointer:
    case kinds.typedef:
    case kinds.volatile:
    case kinds.const:
    case kinds.restrict:
    case kinds.typeTag:
    case kinds.function:
    case kinds.forward:
    case kinds.float:
      return 0;
    case kinds.int:
    case kinds.variable:
    case kinds.declarationTag:
      return 4;
    case kinds.array:
      return 12;
    case kinds.struct:
    case kinds.union:
    case kinds.dataSection:
    case kinds.enum64:
      return 12 * vlen;
    case kinds.enum:
    case kinds.functionPrototype:
      return 8 * vlen;
    default:
      return undefined;
  }
}
