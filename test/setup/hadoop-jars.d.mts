// Types of hadoop-jars.mjs, which is plain JavaScript because it runs before
// the first `npm ci`.

export const hadoopVersion: string;
export function hadoopCacheFolder(): string;
export function fetchHadoopJars(log?: (line: string) => void): Promise<string>;
