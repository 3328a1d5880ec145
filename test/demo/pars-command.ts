// Runs the built command line as a child process, the way its users do, and prints each line as they would type it.

import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import { DemoFailure } from './demo-failure.js';
import type { Narrator } from './narrator.js';

const main = fileURLToPath(new URL('../../dist/program/main.js', import.meta.url));

export interface ParsCommandOptions {
  /** Where the commands run, so that their paths are short. */
  readonly folder: string;
  /** Handed over in the environment, as PARS_STORE. */
  readonly storeUrl: string;
  readonly narrator: Narrator;
  readonly signal: AbortSignal;
}

export class ParsCommand {
  readonly #options: ParsCommandOptions;

  constructor(options: ParsCommandOptions) {
    this.#options = options;
  }

  /** Runs it and shows what it says. */
  async show(...commandArguments: readonly string[]): Promise<void> {
    const { narrator } = this.#options;
    narrator.command(lineOf(commandArguments));
    narrator.say((await this.#run(commandArguments)).trimEnd());
  }

  /** Runs it with --json and returns what it says. */
  async ask<T>(answer: z.ZodType<T>, ...commandArguments: readonly string[]): Promise<T> {
    const withJson = [...commandArguments, '--json'];
    this.#options.narrator.command(lineOf(withJson), 'read by this demo');
    return answer.parse(JSON.parse(await this.#run(withJson)));
  }

  async #run(commandArguments: readonly string[]): Promise<string> {
    const { folder, storeUrl, signal } = this.#options;
    const child = spawn(process.execPath, [main, ...commandArguments], {
      cwd: folder,
      env: { ...process.env, PARS_STORE: storeUrl },
      // Warnings and the progress bar go straight to the terminal.
      stdio: ['ignore', 'pipe', 'inherit'],
      signal,
      // All it has written lies in our folder, so it need not tidy up.
      killSignal: 'SIGKILL',
    });
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    const [said, exitCode] = await Promise.all([text(child.stdout), ended]);
    if (exitCode !== 0) {
      throw new DemoFailure(
        `expected '${lineOf(commandArguments)}' to end with 0, it ended with ${String(exitCode)} ` +
          `and said: ${said.trim() === '' ? '(nothing)' : said.trim()}`,
      );
    }
    return said;
  }
}

function lineOf(commandArguments: readonly string[]): string {
  return ['pars', ...commandArguments].join(' ');
}
