// Durations as people write them: `500ms`, `90s`, `5m`, `24h`, `7d`.

const unitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

export const durationForm = 'a duration such as 90s, 5m, 24h or 7d';

/** In milliseconds. Undefined when it is no duration; a number without a unit is none. */
export function parseDuration(text: string): number | undefined {
  const parts = /^(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h|d)$/.exec(text);
  return parts === null ? undefined : Math.round(Number(parts[1]) * unitsMs[parts[2]]);
}

/** In the largest unit that loses nothing. */
export function formatDuration(durationMs: number): string {
  const unit = ['d', 'h', 'm', 's'].find((name) => durationMs % unitsMs[name] === 0) ?? 'ms';
  return `${durationMs / unitsMs[unit]}${unit}`;
}
