// Types of cache-folder.mjs, which is plain JavaScript because it runs before
// the first `npm ci`.

export function cacheFolder(): string;
export function kernelCacheFolder(): string;
