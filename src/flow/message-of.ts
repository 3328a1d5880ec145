// What a failure of any kind says, for a log or another message.

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
