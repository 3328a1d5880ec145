// A question to QEMU whose answer has a known form: what has another is an error of the closed list, which says where it
// differs, and never a value that is wrong.
import type { z } from 'zod';
import { ParsError } from '../../../introspect/pars-error.js';
import type { QmpClient } from './qmp-client.js';

/** Throws `unsupported` for an answer of another form, and as `execute` does. */
export async function askQmp<T>(
  qmp: QmpClient,
  command: string,
  schema: z.ZodType<T>,
  commandArguments: Readonly<Record<string, unknown>> = {},
): Promise<T> {
  const parsed = schema.safeParse(await qmp.execute(command, commandArguments));
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0];
    const where = path.length === 0 ? '' : `${path.join('.')}: `;
    throw new ParsError(
      'unsupported',
      `QEMU's answer to ${command} is not of the expected form: ${where}${message}`,
    );
  }
  return parsed.data;
}
