// Which lines of a kernel's log mean that something is broken: memory that is not what the kernel left there, a file
// system or a disk that fails, a process or the kernel itself that goes astray.

const SEVERE: readonly RegExp[] = [
  /\bBUG\b/,
  /\bOops\b/,
  /\bbad page\b/i,
  /\bBad (?:swap|rss-counter)/,
  /segfault/,
  /general protection/,
  /traps:/,
  /corrupt/i,
  /(?:EXT4-fs|BTRFS) (?:error|critical)/,
  /XFS .*(?:error|shut ?down|metadata I\/O)/i,
  /I\/O error/,
  /Out of memory/i,
  /oom-kill/,
  /hung task/,
  /blocked for more than/,
  /WARNING:/,
  /pagealloc:/,
  /stack guard/,
  /invalid opcode/,
  /double free/i,
  /Redzone/i,
  /Poison overwritten/i,
  /Kernel panic/,
  /Unable to handle/i,
  /zram: Decompression failed/,
];

export function severeLines(log: string): string[] {
  return log.split('\n').filter((line) => SEVERE.some((pattern) => pattern.test(line)));
}
