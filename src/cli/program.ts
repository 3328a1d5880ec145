// The command line of pars: which command it names, and what becomes of errors. Only commander is loaded for that.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { watchStreams, writeJson, writeLines, writeText } from '../text/standard-streams.js';
import { commands } from './commands.js';
import { addCommands } from './shared/command-table.js';
import { exitCodeOfError } from './shared/exit-code.js';
import { reportError } from './shared/report-error.js';

const program = new Command('pars')
  .description('Page-aware replicated store for virtual-machine snapshots on HDFS')
  .version(version())
  .showHelpAfterError('(pars COMMAND --help lists the options)')
  // Before any command is added, which takes it over.
  .configureOutput({
    writeOut: (text) => {
      writeText('stdout', text);
    },
    writeErr: (text) => {
      writeText('stderr', text);
    },
    // It repeats words of the command line, which hooks are given by others; a suggestion has a line of its own.
    outputError: (text) => {
      writeLines('stderr', text.trimEnd().split(/\n(?=\(Did you mean [^\n]*\)$)/));
    },
  })
  .exitOverride();

function version(): string {
  const file = createRequire(import.meta.url).resolve('pars/package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** What no command could catch. It is said as any other error is, and nothing else is done any more. */
function failUncaught(error: unknown): never {
  process.exit(reportError(error, { isJson: false }));
}

watchStreams();
process.on('uncaughtException', failUncaught);
try {
  await addCommands(program, commands, process.argv.slice(2));
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) {
    failUncaught(error);
  } else {
    // Help and version come as errors too, with exit code 0.
    process.exitCode = error.exitCode === 0 ? 0 : exitCodeOfError.usage;
    if (error.exitCode !== 0 && process.argv.includes('--json')) {
      writeJson({ error: { code: 'usage', message: error.message.replace(/^error: /, '') } });
    }
  }
}
