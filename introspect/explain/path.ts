// The name that a file has in the guest's dentry cache, from the root of its file system (struct dentry,
// include/linux/dcache.h). For people only: a cached name proves nothing.
import type { Kernel } from '../kernel/kernel.js';

/** Deeper than any path the kernel itself would resolve (PATH_MAX holds 2048 names at most). */
const depthLimit = 2048;

export function pathOf(kernel: Kernel, inode: bigint): string | undefined {
  const { btf, memory } = kernel;
  const dentryLayout = btf.struct('dentry');
  const aliases = btf.struct('inode')?.member('i_dentry.first');
  const alias = dentryLayout?.member('d_u.d_alias', 'd_alias');
  const parent = dentryLayout?.member('d_parent');
  const name = dentryLayout?.member('d_name.name');
  if (
    inode === 0n ||
    aliases === undefined ||
    alias === undefined ||
    parent === undefined ||
    name === undefined
  ) {
    return undefined;
  }
  const first = memory.u64(inode + BigInt(aliases.offsetBytes));
  if (first === undefined || first === 0n) {
    return undefined;
  }
  const names: string[] = [];
  let dentry = first - BigInt(alias.offsetBytes);
  for (let depth = 0; depth < depthLimit; depth++) {
    const above = memory.u64(dentry + BigInt(parent.offsetBytes));
    if (above === dentry) {
      return `/${names.reverse().join('/')}`;
    }
    const text = memory.u64(dentry + BigInt(name.offsetBytes));
    const own = text === undefined ? undefined : memory.string(text);
    if (above === undefined || own === undefined) {
      return undefined;
    }
    names.push(own);
    dentry = above;
  }
  return undefined;
}
