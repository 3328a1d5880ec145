// What the tests of docs/ need to know of a page: its links, its headings, and the files that it names.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');

/** Every page of ours, from the root of the repository. */
export const pages: readonly string[] = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'],
  ...pagesBelow('docs'),
  ...pagesBelow('src'),
];

function pagesBelow(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))
    .sort();
}

export const textOf = (page: string): string => readFileSync(join(root, page), 'utf8');

/** Without fenced blocks, whose lines are other programs' input and output. */
export function withoutBlocks(text: string): string {
  return text.replace(/^(```+)[^\n]*\n.*?^\1$/gms, '');
}

export interface Link {
  readonly to: string;
  /** The path of a page of ours, from the root of the repository; undefined on the web. */
  readonly path: string | undefined;
  readonly fragment: string | undefined;
}

export function linksOf(page: string, text: string): readonly Link[] {
  const prose = withoutBlocks(text).replace(/`[^`\n]*`/g, '``');
  return [...prose.matchAll(/\]\(([^()\s]+)\)/g)].map(([, to]) => {
    const [path, fragment] = to.split('#', 2);
    const isOnTheWeb = /^[a-z]+:/.test(to);
    return {
      to,
      path: isOnTheWeb ? undefined : path === '' ? page : join(dirname(page), path),
      fragment: isOnTheWeb ? undefined : fragment,
    };
  });
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const counts = new Map<string, number>();
  const anchors = [...withoutBlocks(text).matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading]) => {
    const anchor = heading
      .trim()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '')
      .replaceAll(' ', '-');
    const count = counts.get(anchor) ?? 0;
    counts.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
  return new Set(anchors);
}

/** Files and folders of the repository that a page names, from its root: by their path, or by a name beside the page. */
export function pathsNamedIn(page: string, text: string): readonly string[] {
  const prose = withoutBlocks(text);
  const byPath = /(?<![\w./-])((?:src|introspect|test|bench|docs)\/[\w./@-]*\w\/?)/g;
  const besideIt = /`([\w-]+(?:\.[\w-]+)*\.(?:md|mjs|ts))`/g;
  return [
    ...[...prose.matchAll(byPath)].map(([, path]) => path),
    ...[...prose.matchAll(besideIt)].map(([, name]) => join(dirname(page), name)),
  ];
}
