import { importsOf } from './imports.js';

test('every form of import is found, once, and packages are not', () => {
  const text = `
    import { a } from './a.js';
    import type { B } from '../b.js';
    import { type C } from "./c.js";
    import {
      d,
    } from './d/d.js';
    export { e } from './e.js';
    export * from './e.js';
    import './f.js';
    const g = await import('./g.js');
    type H = import('./h.js').H;
    import { readFileSync } from 'node:fs';
    import { z } from 'zod';
  `;
  expect(importsOf('src/x/y.ts', text)).toEqual([
    'src/x/a.ts',
    'src/b.ts',
    'src/x/c.ts',
    'src/x/d/d.ts',
    'src/x/e.ts',
    'src/x/f.ts',
    'src/x/g.ts',
    'src/x/h.ts',
  ]);
});

test('comments and texts import nothing', () => {
  const text = "// import { a } from './a.js';\nconst b = `import './b.js'`;\n/* from './c.js' */";
  expect(importsOf('src/x.ts', text)).toEqual([]);
});
