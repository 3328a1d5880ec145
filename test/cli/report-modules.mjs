// For `node --import`: writes the address of every module that is resolved to the file PARS_TEST_MODULES, a line each.

import { register } from 'node:module';

const hooks = `
import { appendFileSync } from 'node:fs';
export async function resolve(specifier, context, next) {
  const found = await next(specifier, context);
  appendFileSync(${JSON.stringify(process.env.PARS_TEST_MODULES)}, found.url + '\\n');
  return found;
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
