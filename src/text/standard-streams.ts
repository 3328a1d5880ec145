// The one place where this program writes to its standard output and standard error (test/text/one-writer.test.ts holds
// that). Whatever is in the text, a line stays one line, and a terminal is told nothing but characters to show.
import { writeSync } from 'node:fs';
import { escapeJson, shortVisibleText, visibleJson } from './visible-text.js';

/** A string is one line, and never more: what is a line's end in it is shown as `\n`. */
export type Lines = string | readonly Lines[];

type StreamName = 'stdout' | 'stderr';

/** Longer than any line of ours; --json has the whole. */
const maxLineLength = 2 ** 15;
/** What a long line is cut into: pieces of whole characters, which may be two units each. */
const pieceOfLine = /.{1,8192}/gsu;
const standardError = 2;
/** A defect's: something else than the reader's going away kept us from writing. */
const failedExitCode = 1;

let isWatched = false;

/** Each on its own line. */
export function writeLines(stream: StreamName, lines: Lines): void {
  watchStreams();
  process[stream].write(
    flatLines(lines)
      .map((line) => `${shortVisibleText(line, maxLineLength)}\n`)
      .join(''),
  );
}

/** A question to a person: the answer is typed on its line. */
export function writeQuestion(question: string): void {
  watchStreams();
  process.stderr.write(`${shortVisibleText(question, maxLineLength)} `);
}

/** For what a person has to see whole: more lines where `writeLines` would cut. It is made visible already. */
export function wholeLines(line: string): readonly string[] {
  return line.match(pieceOfLine) ?? [''];
}

/** Text of ours that has its own line ends, such as help. */
export function writeText(stream: StreamName, text: string): void {
  writeLines(stream, text.replace(/\n$/, '').split('\n'));
}

/** The value is exact for who reads the JSON. */
export function writeJson(value: unknown): void {
  watchStreams();
  process.stdout.write(`${visibleJson(value)}\n`);
}

/** A line of JSON for a log, with its end. At once, so that it is said before whatever happens next. */
export function writeLogLine(line: string): void {
  try {
    writeSync(standardError, escapeJson(line));
  } catch {
    // Nobody reads it any more. The work is worth more than what is said of it.
  }
}

/** Where progress is drawn; undefined in a pipe. What is drawn there must be made visible before. */
export function progressTerminal(): NodeJS.WriteStream | undefined {
  return process.stderr.isTTY ? process.stderr : undefined;
}

export function flatLines(lines: Lines): readonly string[] {
  return typeof lines === 'string' ? [lines] : lines.flatMap(flatLines);
}

/** Blocks with an empty line between them; those without lines are left out. */
export function paragraphs(blocks: readonly Lines[]): Lines {
  return blocks
    .map(flatLines)
    .filter((block) => block.length > 0)
    .flatMap((block, index) => (index === 0 ? block : ['', ...block]));
}

/** `pars list | head` closes the pipe: that is no failure, and the work goes on to its own exit code. */
export function watchStreams(): void {
  if (isWatched) {
    return;
  }
  isWatched = true;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') {
        process.exit(failedExitCode);
      }
    });
  }
}
