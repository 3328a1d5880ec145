// Takes secrets out of text that people and log collectors will read: user and password of URLs, tokens and passwords in
// their queries, and the secrets that stores take from the environment, wherever they stand.

import { storeKinds } from '../../store/kinds.js';

const kinds = Object.values(storeKinds);
const secretWords = [
  ...['token', 'secret', 'passw', 'pwd', 'signature', 'credential', 'api-?key', 'auth'],
  ...kinds.flatMap(({ secrets }) => secrets.parameters),
].join('|');
const userInfo = /([a-z][a-z0-9+.-]*:\/\/)[^/?#\s"'\\]*@/gi;
const secretParameter = new RegExp(
  `([?&][a-z0-9._-]*(?:${secretWords})[a-z0-9._-]*=)[^&#\\s"'\\\\]*`,
  'gi',
);
const shown = '***';

export function redact(text: string, environment: NodeJS.ProcessEnv = process.env): string {
  const withoutUrls = text.replace(userInfo, `$1${shown}@`).replace(secretParameter, `$1${shown}`);
  return kinds
    .flatMap(({ secrets }) => secrets.variables.flatMap((name) => environment[name] ?? []))
    .filter((secret) => secret !== '')
    .reduce((safe, secret) => safe.replaceAll(secret, shown), withoutUrls);
}
