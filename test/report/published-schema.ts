// The schema of `pars report --json` as JSON Schema, from the model that the program itself goes by.
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { z } from 'zod';
import { reportSchema } from '../../src/report/model/report.js';

export const schemaPath = fileURLToPath(
  new URL('../../src/report/report.schema.json', import.meta.url),
);

export async function publishedSchema(): Promise<string> {
  const schema = z.toJSONSchema(reportSchema, { io: 'input' });
  return await format(JSON.stringify({ title: 'pars report --json', ...schema }), {
    parser: 'json',
    printWidth: 100,
  });
}
