// What a part of a machine's description can do to the host that starts it. The descriptions come out of a store, so what
// is not known to be harmless is not started on its word.

export const effects = {
  runs: 'runs a program of the host, or loads code into QEMU',
  opens: 'opens a file or a device of the host',
  listens: 'lets others reach it',
  connects: 'connects to something outside of the VM',
  unknown: 'is not known here, so it may do anything',
} as const;

export type Effect = keyof typeof effects;

/** Why a machine is not started on its word alone. */
export interface Finding {
  /** The part of the description, as it can be shown: control characters made visible. */
  readonly part: string;
  readonly effect: Effect;
  /** More exactly, where more is known. */
  readonly why?: string | undefined;
  /** What `--trust-path` allows it by, where one path is all. */
  readonly path?: string | undefined;
}

/** What a machine may open. */
export interface AllowedPaths {
  /** Named by who starts it, for any use: `--trust-path`. */
  readonly named: ReadonlySet<string>;
  /** What `--replace` put in the place of a path of the machine: images, RAM and what is read, but no character device. */
  readonly replaced?: ReadonlySet<string>;
  /** Files of the restore, by the image format that they are to be opened in; of RAM undefined. For images and RAM only. */
  readonly restored: ReadonlyMap<string, string | undefined>;
}

export function findingText({ part, effect, why, path }: Finding): string {
  const allowed = path === undefined ? '' : ' (--trust-path allows it)';
  return `${part}: ${why ?? effects[effect]}${allowed}`;
}
