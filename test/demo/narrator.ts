// How the demo speaks: numbered steps, each with why it is done, what came of it and how long it took. Plain lines;
// picocolors adds colours on a terminal only.

import pc from 'picocolors';

/** ECMA-48 has no word for it; every terminal knows DEC's. */
const showCursor = '\u001b[?25h';

export class Narrator {
  readonly #startedMs = performance.now();
  #stepNumber = 0;

  title(lines: readonly string[]): void {
    print(['', pc.bold(lines[0]), ...lines.slice(1)]);
  }

  /** Announces a step and does it; says afterwards how long it took. */
  async step<T>(title: string, why: readonly string[], work: () => Promise<T>): Promise<T> {
    this.#stepNumber++;
    print(['', pc.bold(`${this.#stepNumber}. ${title}`), ...why.map((line) => `   ${line}`)]);
    const startedMs = performance.now();
    const result = await work();
    this.say(pc.dim(`(${seconds(performance.now() - startedMs)})`));
    return result;
  }

  say(text: string): void {
    print(text.split('\n').map((line) => (line === '' ? '' : `   ${line}`)));
  }

  table(text: string): void {
    this.say(`\n${text}\n`);
  }

  /** What a person would type to do the same. */
  command(line: string, comment?: string): void {
    const remark = comment === undefined ? '' : pc.dim(`   # ${comment}`);
    print(['', `   ${pc.cyan(`$ ${line}`)}${remark}`]);
  }

  /** The figure to look at. */
  result(text: string): void {
    print(['', `   ${pc.bold(text)}`]);
  }

  /** A promise that held. */
  good(text: string): void {
    this.say(pc.green(text));
  }

  end(text: string): void {
    print(['', pc.bold(pc.green(`${text} (${seconds(performance.now() - this.#startedMs)})`))]);
  }

  fail(text: string): void {
    // The progress bar of a command that was cut off has hidden it.
    if (process.stderr.isTTY) {
      process.stderr.write(showCursor);
    }
    process.stderr.write(`\n${pc.red(`demo: ${text}`)}\n`);
  }
}

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)} s`;
}
