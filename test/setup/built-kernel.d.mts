// Types of built-kernel.mjs, which is plain JavaScript because it runs before the first `npm ci`.

import type { KernelFlavour } from './kernel.mjs';

export const builtSeries: string;
export const builtFlavours: readonly KernelFlavour[];

export function buildKernel(log: (line: string) => void, flavour: KernelFlavour): string;
