// What a capture and its guard say to each other: JSON lines, requests on the guard's standard input, answers on its output.
import { z } from 'zod';
import { type ErrorCode, errorCodes, ParsError } from '../../../../introspect/pars-error.js';
import { parsePeerJson } from '../../../../introspect/peer-json.js';

const codes = Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]];
const problemSchema = z.object({ code: z.enum(codes), message: z.string() });

/** In the capture's folder, of the stream with this number. */
export const streamSocketName = (number: number): string => `stream-${number}.sock`;

const guardRequestSchema = z.union([
  /** Take a stream into this new file. */
  z.object({ receive: z.string() }),
  /** All is right again: the guard may end. */
  z.object({ release: z.literal(true) }),
]);
export type GuardRequest = z.infer<typeof guardRequestSchema>;

const guardAnswerSchema = z.union([
  /** Where the guard listens for QEMU, after the newest `receive`. */
  z.object({ listening: z.object({ uri: z.string() }) }),
  z.object({ refused: problemSchema }),
  /** QEMU has closed its end; with a problem the file is not whole. */
  z.object({ ended: z.object({ problem: problemSchema.optional() }) }),
]);
export type GuardAnswer = z.infer<typeof guardAnswerSchema>;

/** Undefined for what a capture never says. */
export function parseGuardRequest(line: string): GuardRequest | undefined {
  return parsed(guardRequestSchema, line);
}

/** Throws `unavailable` for what a guard never says. */
export function parseGuardAnswer(line: string): GuardAnswer {
  const answer = parsed(guardAnswerSchema, line);
  if (answer === undefined) {
    throw new ParsError(
      'unavailable',
      `the process that watches over the VM says ${JSON.stringify(line.slice(0, 60))}, which is not expected of it`,
    );
  }
  return answer;
}

function parsed<T>(schema: z.ZodType<T>, line: string): T | undefined {
  try {
    return schema.safeParse(parsePeerJson(line)).data;
  } catch {
    return undefined;
  }
}
