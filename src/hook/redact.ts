// Takes secrets out of text that people and log collectors will read: user and password of URLs, tokens and passwords in
// their queries, and the token of the environment wherever it stands.

const userInfo = /([a-z][a-z0-9+.-]*:\/\/)[^/?#\s"'\\]*@/gi;
const secretParameter =
  /([?&][a-z0-9._-]*(?:token|delegation|secret|passw|pwd|signature|credential|api-?key|auth)[a-z0-9._-]*=)[^&#\s"'\\]*/gi;
const shown = '***';

/** The delegation token of src/store/webhdfs, by the name of the variable that it is given in. */
const tokenVariable = 'PARS_WEBHDFS_TOKEN';

export function redact(text: string, environment: NodeJS.ProcessEnv = process.env): string {
  const withoutUrls = text.replace(userInfo, `$1${shown}@`).replace(secretParameter, `$1${shown}`);
  const token = environment[tokenVariable] ?? '';
  return token === '' ? withoutUrls : withoutUrls.replaceAll(token, shown);
}
