// Numbers and tables as people read them. What is several lines is a list of them.
import { shortVisibleText, visibleText } from '../../text/visible-text.js';

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

/** The longest cell, in characters: a longer one would make its column as wide in every row. Sentences in tables are shorter. */
const maxCellLength = 1000;

/** Columns as wide as their widest cell, two spaces apart. */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  alignments: readonly Alignment[],
): readonly string[] {
  // Widths are of what is shown.
  const shown = [header, ...rows].map((row) =>
    row.map((cell) => shortVisibleText(cell, maxCellLength)),
  );
  const widths = header.map((_, column) =>
    shown.reduce((width, row) => Math.max(width, row[column].length), 0),
  );
  return shown.map((cells) =>
    cells
      .map((cell, column) =>
        alignments[column] === 'right'
          ? cell.padStart(widths[column])
          : cell.padEnd(widths[column]),
      )
      .join('  ')
      .trimEnd(),
  );
}

export function formatHex(value: number | bigint): string {
  return value < 0 ? `-0x${value.toString(16).slice(1)}` : `0x${value.toString(16)}`;
}

/** Names to the left, what they are to the right of them, a line each. */
export function formatLines(
  entries: readonly (readonly [name: string, value: string])[],
  indent = '',
): readonly string[] {
  return formatTable(['', ''], entries, ['left', 'left'])
    .slice(1)
    .map((line) => `${indent}${line}`.trimEnd());
}

/** Breaks between words; lines after the first begin `indentWidth` columns in. A longer word stands out. */
export function wrapText(
  text: string,
  columnCount: number,
  indentWidth: number,
): readonly string[] {
  const lines: string[] = [];
  // Before it is measured, and so that no line's end in it becomes one of ours.
  let rest = visibleText(text);
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
  return [...lines, rest].map((line) => line.trimEnd());
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
