// Types of kernel.mjs, which is plain JavaScript because it runs before the
// first `npm ci`.

export type KernelFlavour = 'cloud' | 'generic' | 'nobtf' | 'nosmp';

export const kernelSeries: readonly string[];
export const testedSeries: Readonly<Record<'default' | 'oldest' | 'newest', string>>;
export const kernelFlavours: readonly KernelFlavour[];

export function newestKernelPackage(
  releasePrefix?: string,
  flavour?: KernelFlavour,
): string | undefined;
export function fetchKernel(
  log: (line: string) => void,
  releasePrefix?: string,
  flavour?: KernelFlavour,
): string;
