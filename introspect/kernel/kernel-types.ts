// What introspection asks of a kernel's types, whoever answers: its BTF (btf/), or VMCOREINFO, which states a few
// (stated-types.ts).
import type { MemberLayout } from './btf/btf.js';

export interface StructTypes {
  readonly name: string;
  readonly sizeBytes: number;
  /** The first path that exists. */
  member(...paths: readonly string[]): MemberLayout | undefined;
}

/** What is not known is undefined. */
export interface KernelTypes {
  struct(name: string): StructTypes | undefined;
  /** Names to values. */
  enumeration(name: string): ReadonlyMap<string, number> | undefined;
}
