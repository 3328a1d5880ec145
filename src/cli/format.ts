// Numbers and tables as people read them.
import { largestOf } from '../flow/largest.js';

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

export function formatBytes(sizeBytes: number): string {
  let value = sizeBytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value.toFixed(0) : value.toFixed(1)} ${units[unit]}`;
}

export function formatPercent(fraction: number): string {
  return `${(fraction * 100).toFixed(1)} %`;
}

/** Local time would differ between the hosts that share a store. */
export function formatTime(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

export type Alignment = 'left' | 'right';

/** Columns as wide as their widest cell, two spaces apart. */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  alignments: readonly Alignment[],
): string {
  const widths = header.map((title, column) =>
    Math.max(title.length, largestOf(rows.map((row) => row[column].length))),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        alignments[column] === 'right'
          ? cell.padStart(widths[column])
          : cell.padEnd(widths[column]),
      )
      .join('  ')
      .trimEnd();
  return [line(header), ...rows.map(line)].join('\n');
}

export function formatHex(value: number | bigint): string {
  return value < 0 ? `-0x${value.toString(16).slice(1)}` : `0x${value.toString(16)}`;
}

/** Names to the left, what they are to the right of them, a line each. */
export function formatLines(
  entries: readonly (readonly [name: string, value: string])[],
  indent = '',
): string {
  const width = largestOf(entries.map(([name]) => name.length));
  return entries
    .map(([name, value]) => `${indent}${name.padEnd(width)}  ${value}`.trimEnd())
    .join('\n');
}

/** Breaks between words; lines after the first begin `indentWidth` columns in. A longer word stands out. */
export function wrapText(text: string, columnCount: number, indentWidth: number): string {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > columnCount) {
    const space = rest.lastIndexOf(' ', columnCount);
    // The indent itself is no place to break.
    const end = space > indentWidth ? space : rest.indexOf(' ', columnCount);
    if (end < 0) {
      break;
    }
    lines.push(rest.slice(0, end));
    rest = ' '.repeat(indentWidth) + rest.slice(end + 1);
  }
  return [...lines, rest].map((line) => line.trimEnd()).join('\n');
}

/** For `JSON.stringify`, which has no integers of 64 bits and drops what is undefined. Addresses are read in hex. */
export function toJson(value: unknown): unknown {
  if (typeof value === 'bigint') {
    return formatHex(value);
  }
  if (Array.isArray(value)) {
    return value.map(toJson);
  }
  return typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, toJson(entry)]))
    : (value ?? null);
}
