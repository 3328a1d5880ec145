// What a capture and its guard say to each other: JSON lines, requests on the guard's standard input, answers on its output.
import { z } from 'zod';
import { errorCodes, type ErrorCode } from '../../../introspect/pars-error.js';

const codes = Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]];
const problemSchema = z.object({ code: z.enum(codes), message: z.string() });

/** In the capture's folder, of the stream with this number. */
export const streamSocketName = (number: number): string => `stream-${number}.sock`;

export const guardRequestSchema = z.union([
  /** Take a stream into this new file. */
  z.object({ receive: z.string() }),
  /** All is right again: the guard may end. */
  z.object({ release: z.literal(true) }),
]);
export type GuardRequest = z.infer<typeof guardRequestSchema>;

export const guardAnswerSchema = z.union([
  /** Of the newest `receive`. */
  z.object({ listening: z.object({ uri: z.string() }) }),
  z.object({ refused: problemSchema }),
  /** QEMU has closed its end; with a problem the file is not whole. */
  z.object({ ended: z.object({ problem: problemSchema.optional() }) }),
]);
export type GuardAnswer = z.infer<typeof guardAnswerSchema>;
