// Writes the schema of `pars report --json` again, after the model has changed:
//
//   npx tsx test/report/write-schema.ts
import { writeFileSync } from 'node:fs';
import { publishedSchema, schemaPath } from './published-schema.js';

writeFileSync(schemaPath, await publishedSchema());
console.log(`wrote ${schemaPath}`);
