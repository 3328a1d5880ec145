// Types of kernel.mjs, which is plain JavaScript because it runs before the
// first `npm ci`.

export function newestKernelPackage(releasePrefix?: string): string | undefined;
export function fetchKernel(log: (line: string) => void, releasePrefix?: string): string;
