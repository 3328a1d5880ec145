// The settings of `-drive` and `-blockdev`: which drivers and keys are known, and which files they open.
import { bashQuote } from '../qemu/bash-quote.js';
import { isOn, type Setting } from '../qemu/option-value.js';
import type { AllowedPaths } from './effects.js';
import { isPathLike, type Judged, judgePath } from './judge-path.js';
import { isPackageFile } from './safe-files.js';

const imageDrivers: ReadonlySet<string> = new Set([
  ...['raw', 'file', 'host_device', 'host_cdrom', 'qcow2', 'null-co', 'null-aio', 'throttle'],
  ...['copy-on-read', 'compress', 'preallocate'],
]);
const backingKey = /(?:^|\.)backing\./;
const driverKey = /^(?:file\.)*(?:driver|format)$/;
const pathKey = /^(?:file\.)*filename$/;
const imageKey =
  /^(?:file\.)*(?:node-name|read-?only|auto-read-only|discard|detect-zeroes|cache(?:\.direct|\.no-flush|\.writeback)?|aio|aio-max-batch|locking|force-share|size|offset|drop-cache|file|backing|data-file|pass-discard-[a-z]+|lazy-refcounts|overlap-check|cache-size|l2-cache-size|refcount-cache-size|cache-clean-interval|read-zeroes|latency-ns|throttle-group|throttling\.[a-z.-]+|prealloc-[a-z]+|copy-on-read|pr-manager)$/;
const driveKey =
  /^(?:if|index|bus|unit|media|snapshot|id|werror|rerror|serial|bps[a-z_-]*|iops[a-z_-]*|group|addr|name|boot|cyls|heads|secs|trans|stats-[a-z.-]+)$/;
const readOnlyKey = /^(?:file\.)*(?:auto-)?read-?only$/;
const lowerNodeKey = /^(?:file\.)+node-name$/;

export function judgeImageSettings(
  settings: readonly Setting[],
  isDrive: boolean,
  allowed: AllowedPaths,
): readonly Judged[] {
  const isReadOnly = isOnlyRead(settings);
  return settings.flatMap(({ key, value }): readonly Judged[] => {
    if (backingKey.test(key)) {
      return [
        { effect: 'opens', why: 'what lies under an image is not looked at here: give it a node' },
      ];
    }
    if (driverKey.test(key)) {
      return imageDrivers.has(value)
        ? []
        : [
            {
              effect: 'opens',
              why: `images of the kind ${bashQuote(value)} can lead to other files, or away from the host`,
            },
          ];
    }
    if (pathKey.test(key) || (isDrive && key === 'file')) {
      return isReadOnly && isPackageFile(value) ? [] : judgePath(value, allowed, 'image');
    }
    if (!imageKey.test(key) && !(isDrive && driveKey.test(key))) {
      return [
        { effect: 'unknown', why: `${bashQuote(key === '' ? value : key)} is not known here` },
      ];
    }
    if (isDrive && key === 'serial') {
      return [];
    }
    // A reference to a node is its name.
    return isPathLike(value) || value.includes(':') ? judgePath(value, allowed, 'image') : [];
  });
}

/** In every layer, and in none that another option can name, and so open again. */
function isOnlyRead(settings: readonly Setting[]): boolean {
  return (
    settings.some(({ key }) => /^read-?only$/.test(key)) &&
    settings.every(({ key, value }) => !readOnlyKey.test(key) || isOn(value)) &&
    !settings.some(({ key }) => lowerNodeKey.test(key))
  );
}
