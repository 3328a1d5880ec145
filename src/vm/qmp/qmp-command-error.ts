// QEMU's refusal of a command. Its class is nearly always GenericError, so what it means is for who sent the command.

export class QmpCommandError extends Error {
  override readonly name = 'QmpCommandError';
  readonly command: string;
  readonly qmpClass: string;
  /** QEMU's own sentence. */
  readonly description: string;

  constructor(command: string, qmpClass: string, description: string) {
    super(`QEMU refused ${command}: ${description}`);
    this.command = command;
    this.qmpClass = qmpClass;
    this.description = description;
  }
}
