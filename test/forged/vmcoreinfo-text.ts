// Bends VMCOREINFO's lines.
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';

export type Lines = Readonly<Record<string, string | bigint | undefined>>;

/** The text with the values of some lines replaced, or the lines left out where the value is undefined. */
export function withLines(text: string, lines: Lines): string {
  const seen = new Set<string>();
  const kept = text.split('\n').flatMap((line) => {
    const key = line.slice(0, Math.max(0, line.indexOf('=')));
    if (key === '' || !(key in lines)) {
      return [line];
    }
    seen.add(key);
    const value = lines[key];
    return value === undefined ? [] : [`${key}=${written(key, value)}`];
  });
  const added = Object.entries(lines).flatMap(([key, value]) =>
    seen.has(key) || value === undefined ? [] : [`${key}=${written(key, value)}`],
  );
  return [...kept.filter((line) => line !== ''), ...added, ''].join('\n');
}

/** As the kernel writes it: symbols in hex, numbers signed and decimal. */
function written(key: string, value: string | bigint): string {
  if (typeof value === 'string') {
    return value;
  }
  return key.startsWith('NUMBER(')
    ? BigInt.asIntN(64, value).toString()
    : BigInt.asUintN(64, value).toString(16);
}

export function keysOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.slice(0, Math.max(0, line.indexOf('='))))
    .filter((key) => key !== '');
}

export function valueOf(text: string, key: string): string {
  return (
    text
      .split('\n')
      .find((line) => line.startsWith(`${key}=`))
      ?.slice(key.length + 1) ?? ''
  );
}

/** What fits into the page, ending in zeroes. */
export function pageOf(text: string): Buffer {
  const page = Buffer.alloc(pageSizeBytes);
  page.write(text.slice(0, pageSizeBytes - 1), 'latin1');
  return page;
}
