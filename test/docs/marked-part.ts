// Parts of Markdown that programs write: between `<!-- MARK -->` and `<!-- /MARK -->`.

function marksOf(mark: string): readonly [first: string, last: string] {
  return [`<!-- ${mark} -->`, `<!-- /${mark} -->`];
}

function placeOf(text: string, mark: string, where: string): { start: number; end: number } {
  const [first, last] = marksOf(mark);
  const start = text.indexOf(first);
  const end = text.indexOf(last);
  if (start === -1 || end < start) {
    throw new Error(`expected ${first} and ${last} in ${where}, found them not`);
  }
  return { start: start + first.length, end };
}

export function withMarkedPart(text: string, mark: string, part: string, where: string): string {
  const { start, end } = placeOf(text, mark, where);
  return `${text.slice(0, start)}\n\n${part}\n${text.slice(end)}`;
}

export function markedPart(text: string, mark: string, where: string): string {
  const { start, end } = placeOf(text, mark, where);
  return text.slice(start, end).trim();
}
