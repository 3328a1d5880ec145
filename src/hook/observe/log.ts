// What hook commands say while they run: lines of JSON on standard error (pino), without secrets. Where systemd's journal
// reads them, each line begins with its priority as `<N>`, which the journal takes off (sd-daemon(3)).
import { fstatSync } from 'node:fs';
import { pino } from 'pino';
import { writeLogLine } from '../../text/standard-streams.js';
import { escapeJson } from '../../text/visible-text.js';
import { redact } from './redact.js';

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** `facts`: what a program may look for, such as the VM. */
export type LogLine = (message: string, facts?: Readonly<Record<string, unknown>>) => void;

type LineLevel = Exclude<LogLevel, 'silent'>;
export type HookLog = Readonly<Record<LineLevel, LogLine>>;

/** The priorities of syslog(3), which the journal reads at the beginning of a line. */
const priorities: Readonly<Record<LineLevel, number>> = { debug: 7, info: 6, warn: 4, error: 3 };
const standardError = 2;

export interface LogTarget {
  readonly write: (line: string) => void;
  readonly isJournal: boolean;
}

export function openLog(level: LogLevel, target: LogTarget = standardErrorTarget()): HookLog {
  // A line is said and written in one go, so this is the level of the line under way.
  let current: LineLevel = 'info';
  const logger = pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write: (line: string) => {
        // Secrets first: an escape within one would hide it.
        const safe = escapeJson(redact(line));
        target.write(`${target.isJournal ? `<${priorities[current]}>` : ''}${safe}`);
      },
    },
  );
  const say =
    (lineLevel: LineLevel): LogLine =>
    (message, facts = {}) => {
      current = lineLevel;
      logger[lineLevel](facts, message);
    };
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
}

function standardErrorTarget(): LogTarget {
  return { write: writeLogLine, isJournal: isJournal(process.env['JOURNAL_STREAM']) };
}

/** systemd names the device and inode of the stream that it gave; the variable alone is inherited by anybody. */
export function isJournal(journalStream: string | undefined, fd = standardError): boolean {
  if (journalStream === undefined) {
    return false;
  }
  const { dev, ino } = fstatSync(fd);
  return journalStream === `${dev}:${ino}`;
}
