// A kernel whose types say something else in places, as those of a damaged image may.
import type { Kernel } from '../../introspect/kernel/kernel.js';
import type { KernelTypes, StructTypes } from '../../introspect/kernel/kernel-types.js';

export interface TypeChanges {
  /** Values that replace those of an enum's names. */
  readonly values?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Sizes of structs. */
  readonly sizes?: Readonly<Record<string, number>>;
}

export function withTypes(kernel: Kernel, { values = {}, sizes = {} }: TypeChanges): Kernel {
  const { btf } = kernel;
  const changed: KernelTypes = {
    enumeration: (name) => {
      const known = btf.enumeration(name);
      return known === undefined
        ? undefined
        : new Map([...known, ...Object.entries(values[name] ?? {})]);
    },
    struct: (name) => {
      const layout = btf.struct(name);
      return layout === undefined || !(name in sizes)
        ? layout
        : (Object.create(layout, {
            sizeBytes: { value: sizes[name] },
            member: { value: layout.member.bind(layout) },
          }) as StructTypes);
    },
  };
  return { ...kernel, btf: changed };
}
