// Whether a machine may open one path of the host, by what it does with it. What was restored holds the guest's own words:
// it may be an image or RAM, and never something that QEMU takes commands or options from.
import { bashQuote } from '../qemu/bash-quote.js';
import type { AllowedPaths, Finding } from './effects.js';
import { isHarmlessDevice, isMemoryFolder, isPackageFile } from './safe-files.js';

/** The part that the finding is about is the option itself. */
export type Judged = Omit<Finding, 'part'>;

/** `read` is a kernel, firmware and the like; `other` is everything else, such as logs and character devices. */
export type PathUse = 'image' | 'memory' | 'read' | 'other';

export function judgePath(path: string, allowed: AllowedPaths, use: PathUse): readonly Judged[] {
  const { named, replaced, restored } = allowed;
  const isAllowed =
    path === '' ||
    named.has(path) ||
    isHarmlessDevice(path) ||
    (use !== 'other' && replaced?.has(path) === true) ||
    // RAM has no format, so as an image anything could be read out of it.
    (use === 'image' && restored.get(path) !== undefined) ||
    (use === 'memory' && (restored.has(path) || isMemoryFolder(path))) ||
    (use === 'read' && isPackageFile(path));
  return isAllowed ? [] : [{ effect: 'opens', why: `opens ${bashQuote(path)} of the host`, path }];
}

export function isPathLike(value: string): boolean {
  return value.includes('/');
}
