// The whole file. It asks the network for nothing: a policy in it forbids that, and every script but the page's own.
import { createHash } from 'node:crypto';
import { Markup, markup } from './markup.js';
import type { PageFiles } from './page-files.js';
import { contentsList, type Page, sectionMarkup } from './sections.js';
import { patternDefinitions } from './swatch.js';

export function documentText({ title, summary, sections }: Page, files: PageFiles): string {
  const script = new Markup(files.script);
  const hash = createHash('sha256').update(files.script).digest('base64');
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${hash}'`,
    // Charts carry style attributes.
    "style-src 'unsafe-inline'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="pars report">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${new Markup(files.style)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the report</a>
${patternDefinitions()}
<header>
<h1>${title}</h1>
<p>${summary}</p>
${contentsList(sections)}
</header>
<main id="main" tabindex="-1">${sections.map(sectionMarkup)}
</main>
<script>${script}</script>
</body>
</html>
`.text;
}
