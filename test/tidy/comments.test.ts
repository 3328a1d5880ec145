import { commentsOf } from './comments.js';

test('comments are found wherever they stand', () => {
  const text = `#!/usr/bin/env node
// First.
/** Of one line. */
const a = { b: 1 /* inside */ }; // behind
/**
 * Of two
 * lines.
 */
function c(/* in brackets */): void {
  // In an empty body.
}
// Last.
`;
  expect(commentsOf('x.ts', text)).toEqual([
    { line: 2, text: 'First.', isDoc: false },
    { line: 3, text: 'Of one line.', isDoc: true },
    { line: 4, text: 'inside', isDoc: false },
    { line: 4, text: 'behind', isDoc: false },
    { line: 5, text: 'Of two lines.', isDoc: true },
    { line: 9, text: 'in brackets', isDoc: false },
    { line: 10, text: 'In an empty body.', isDoc: false },
    { line: 12, text: 'Last.', isDoc: false },
  ]);
});

test('what looks like a comment in a text or a pattern is none', () => {
  const text =
    "const a = 'http://a'; const b = `// ${a} // /* */`; const c = /\\/\\/ x/g; const d = a + '/** */';";
  expect(commentsOf('x.ts', text)).toEqual([]);
});

test('JavaScript is read too', () => {
  expect(commentsOf('x.mjs', 'const a = 1; // One.')).toEqual([
    { line: 1, text: 'One.', isDoc: false },
  ]);
});
