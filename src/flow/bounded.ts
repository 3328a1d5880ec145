// Limits of what comes from outside: a store's answers, files of a spool, a manifest. A list is looked at no further than
// its first wrong element, so that many wrong ones take no memory either, and a moment is one that a calendar has.
import { z } from 'zod';

/** The last millisecond of the year 9999: what is printed and parsed everywhere. */
export const maxMomentMs = 253_402_300_799_999;

/** Milliseconds since 1970, UTC. */
export const moment = z.int().min(0).max(maxMomentMs);

/** As `z.array`, with a limit that is looked at first, and one issue at most. */
export function boundedArray<Element extends z.ZodType>(element: Element, maxCount: number) {
  return z.unknown().transform((value, context): z.output<Element>[] => {
    if (!Array.isArray(value)) {
      context.addIssue({ code: 'custom', message: 'expected a list' });
      return z.NEVER;
    }
    if (value.length > maxCount) {
      context.addIssue({
        code: 'custom',
        message: `a list of ${value.length}, at most ${maxCount} are possible`,
      });
      return z.NEVER;
    }
    const elements: z.output<Element>[] = [];
    for (const [index, item] of (value as readonly unknown[]).entries()) {
      const parsed = element.safeParse(item);
      if (!parsed.success) {
        const { path, message } = parsed.error.issues[0];
        context.addIssue({ code: 'custom', path: [index, ...path], message });
        return z.NEVER;
      }
      elements.push(parsed.data);
    }
    return elements;
  });
}
