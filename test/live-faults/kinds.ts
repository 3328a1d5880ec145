// What goes wrong while a running VM is captured and stored.

export const faultKinds = {
  'upload killed': 'SIGKILL of `pars upload --qmp`; its guard stays',
  'hook killed': 'SIGKILL of `pars hook run --vm`; its guard stays',
  'upload and guard killed': 'SIGKILL of both at once; the next upload finds what they left',
  'hook and guard killed': 'SIGKILL of both at once; `pars hook flush` finds what they left',
  interrupted: 'SIGINT, as from Ctrl-C',
  'scratch full': 'the file system of the scratch folder has no byte left',
  'connection cut': 'the QMP connection is cut; the next one is served',
  'socket gone': 'the QMP connection is cut and its socket is unlinked; it is back after a while',
  'VM ended': 'QEMU is told to quit, and killed if it hangs over that (before 8.1 it may)',
  'NameNode killed':
    'SIGKILL of the NameNode around `pars hook run`; it comes back after the upload gave up',
  'DataNode killed': 'SIGKILL of one of four DataNodes around `pars hook run`; it comes back later',
} as const;

export type FaultKind = keyof typeof faultKinds;

export type HdfsFaultKind = Extract<FaultKind, `${string}Node killed`>;

export function isOfHdfs(kind: FaultKind): kind is HdfsFaultKind {
  return kind === 'NameNode killed' || kind === 'DataNode killed';
}

/** How the VM is saved; by what its RAM is. */
export const guestKinds = {
  background: "RAM of QEMU's own: it runs while it is saved",
  standing: 'RAM in a shared file: it stands still while that is copied',
} as const;

export type GuestKind = keyof typeof guestKinds;
