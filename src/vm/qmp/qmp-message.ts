// What the other end of QMP may say, as one schema: it is nearly always QEMU, but a guest may have broken into that, and
// any program can listen at a socket. (QEMU docs/interop/qmp-spec.rst, section 2)
import { z } from 'zod';
import { parsePeerJson } from '../../../introspect/peer-json.js';

/** The longest answer asked for, a block graph of many disks with long chains, has some hundred kilobytes. */
export const maxLineLength = 2 ** 22;
/** How many values one answer may have: a block graph of many disks with long chains has some ten thousand. */
const maxValueCount = 2 ** 17;
/** A QEMU's own sentence; what is longer is not wrong, but nobody reads it. */
const maxDescriptionLength = 4096;
/** Until the year 9999. */
const maxSeconds = 253_402_300_799;

const data = z.record(z.string(), z.unknown());
const name = z.string().min(1).max(256);

const greetingSchema = z.object({ QMP: data });
const eventSchema = z.object({
  event: name,
  data: data.optional(),
  timestamp: z
    .object({
      // Both are -1 where QEMU's host has no clock.
      seconds: z.int().min(-1).max(maxSeconds),
      microseconds: z.int().min(-1).max(999_999),
    })
    .optional(),
});
/** An answer without a number is to a line that QEMU could not read. */
const id = z.int().min(0).optional();
const refusalSchema = z.object({
  error: z.object({
    class: name,
    desc: z.string().transform((text) => text.slice(0, maxDescriptionLength)),
  }),
  id,
});
const answerSchema = z.object({
  // Absent where there is nothing to say, by the schema's reckoning; it is not by QMP's.
  return: z.unknown().refine((value) => value !== undefined, 'expected what the command returns'),
  id,
});

const messageSchema = z.union([greetingSchema, eventSchema, refusalSchema, answerSchema]);
export type QmpMessage = z.infer<typeof messageSchema>;
export type QmpEventMessage = z.infer<typeof eventSchema>;

/** Undefined for a line that is no message of QMP. */
export function parseQmpMessage(line: string): QmpMessage | undefined {
  try {
    return messageSchema.safeParse(parsePeerJson(line, { maxValueCount })).data;
  } catch {
    return undefined;
  }
}
