// QEMU's refusal of a command. Its class is nearly always GenericError, so what it means is for who sent the command.

import { ParsError } from '../../../introspect/pars-error.js';

/** `unavailable`, unless who sent the command knows better. */
export class QmpCommandError extends ParsError {
  readonly command: string;
  readonly qmpClass: string;
  /** QEMU's own sentence. */
  readonly description: string;

  constructor(command: string, qmpClass: string, description: string) {
    super('unavailable', `QEMU refused ${command}: ${description}`);
    this.command = command;
    this.qmpClass = qmpClass;
    this.description = description;
  }
}
