// By what a snapshot that is offered twice is known again.
import { createHash } from 'node:crypto';
import { factsText, type FileFacts } from './adopt-file.js';

/** The image, where the entry has it, and as it was found. */
export interface ImageFacts {
  readonly target: string;
  readonly facts: FileFacts;
}

/** By the image alone, so that it is known again when it is offered with more or less beside it. 16 hexadecimal digits. */
export function identityOf(vm: string, image: readonly ImageFacts[]): string {
  return createHash('sha256')
    .update([vm, ...image.map(({ target, facts }) => `${target}=${factsText(facts)}`)].join('\0'))
    .digest('hex')
    .slice(0, 16);
}
