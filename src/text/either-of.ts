// A choice as people write it: `a`, `a or b`, `a, b or c`.

export function eitherOf(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  const others = words.slice(0, -1);
  return others.length === 0 ? last : `${others.join(', ')} or ${last}`;
}
