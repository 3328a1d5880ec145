// Durations as people and configuration files give them: `90s`, `5m`, `24h`, `7d`. A bare number is refused: nobody
// knows what unit it was meant in.

const unitsMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60 * 1000,
  h: 3600 * 1000,
  d: 24 * 3600 * 1000,
};

/** In milliseconds. Undefined when it is no duration. */
export function parseDuration(text: string): number | undefined {
  const parts = /^(\d{1,9}(?:\.\d{1,9})?)([smhd])$/.exec(text);
  return parts === null ? undefined : Math.round(Number(parts[1]) * unitsMs[parts[2]]);
}
