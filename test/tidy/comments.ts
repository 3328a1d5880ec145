// The comments of a source file, and what they say.
import ts from 'typescript';

export interface Comment {
  /** Counted from 1. */
  readonly line: number;
  /** What is said, without the signs of the comment; its lines joined by spaces. */
  readonly text: string;
  /** Whether it describes what follows it: one that begins with two stars. */
  readonly isDoc: boolean;
}

export function commentsOf(path: string, text: string): readonly Comment[] {
  const kind = /\.m?js$/.test(path) ? ts.ScriptKind.JS : ts.ScriptKind.TS;
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, false, kind);
  const ranges = new Map<number, ts.CommentRange>();
  const visit = (node: ts.Node): void => {
    // The parser's own reading of a doc comment: its text is that of a range too.
    if (ts.isJSDoc(node)) {
      return;
    }
    const children = node.getChildren(source);
    if (children.length > 0) {
      children.forEach(visit);
      return;
    }
    for (const range of [
      ...(ts.getLeadingCommentRanges(text, node.pos) ?? []),
      ...(ts.getTrailingCommentRanges(text, node.end) ?? []),
    ]) {
      ranges.set(range.pos, range);
    }
  };
  visit(source);
  return [...ranges.values()]
    .sort((left, right) => left.pos - right.pos)
    .map(({ pos, end }) => {
      const written = text.slice(pos, end);
      return {
        line: source.getLineAndCharacterOfPosition(pos).line + 1,
        text: sayingOf(written),
        isDoc: written.startsWith('/**'),
      };
    });
}

function sayingOf(written: string): string {
  if (written.startsWith('//')) {
    return written.slice(2).trim();
  }
  return written
    .replace(/^\/\*+|\*+\/$/g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\*/, '').trim())
    .join(' ')
    .trim();
}
