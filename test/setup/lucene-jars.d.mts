// Types of lucene-jars.mjs, which is plain JavaScript because it runs before
// the first `npm ci`.

export const luceneVersion: string;
export function luceneJarsFolder(): string;
export function fetchLuceneJars(log: (line: string) => void): Promise<string>;
