// What is published is what the program goes by. After a change: npx tsx test/report/write-schema.ts
import { readFileSync } from 'node:fs';
import { publishedSchema, schemaPath } from './published-schema.js';

test('the schema in the package is that of the model', async () => {
  expect(readFileSync(schemaPath, 'utf8')).toBe(await publishedSchema());
});
