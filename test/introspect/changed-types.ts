// A kernel whose types say something else in places, as those of a damaged image may.
import type { Btf, StructLayout } from '../../introspect/kernel/btf/btf.js';
import type { Kernel } from '../../introspect/kernel/kernel.js';

export interface TypeChanges {
  /** Values that replace those of an enum's names. */
  readonly values?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Sizes of structs. */
  readonly sizes?: Readonly<Record<string, number>>;
}

export function withTypes(kernel: Kernel, { values = {}, sizes = {} }: TypeChanges): Kernel {
  const { btf } = kernel;
  const changed: Pick<Btf, 'struct' | 'enumeration' | 'typeCount'> = {
    typeCount: btf.typeCount,
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
          }) as StructLayout);
    },
  };
  return { ...kernel, btf: changed as Btf };
}
