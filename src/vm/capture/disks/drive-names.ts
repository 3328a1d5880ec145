// What a snapshot calls the VM's drives: by a name that the VM's owner gave, as it is, else by a number. A name stands in names
// of files, so one with other characters, or a longer one, cannot; it is not bent to fit, since two could become one by that.
// Pure.
import { diskNamePattern } from '../../../manifest/space/disk-record.js';

/** A drive as QEMU tells of it. */
export interface NamedDrive {
  /** Path of its device in QEMU's tree. */
  readonly qdev?: string | undefined;
  readonly device: string;
  readonly nodeName?: string | undefined;
}

/** One name for each, in their order; no two are the same. */
export function driveNames(drives: readonly NamedDrive[]): readonly string[] {
  const given = drives.map(givenNames);
  const taken = new Set<string>();
  const firstChoice = given.map((names) => {
    const name = names.find((candidate) => !taken.has(candidate));
    if (name !== undefined) {
      taken.add(name);
    }
    return name;
  });
  // Numbers come last: `disk2` may be what the owner calls another drive.
  return firstChoice.map((name, index) => {
    if (name !== undefined) {
      return name;
    }
    let numbered = `disk${index}`;
    for (let count = 1; taken.has(numbered); count++) {
      numbered = `disk${index}-${count}`;
    }
    taken.add(numbered);
    return numbered;
  });
}

/** The device's id, the drive's, the node's. QEMU's own begin with `#`. */
function givenNames({ qdev, device, nodeName }: NamedDrive): readonly string[] {
  const id = peripheralId(qdev);
  return [id, device, nodeName].filter(
    (name): name is string =>
      name !== undefined && /^[A-Za-z]/.test(name) && diskNamePattern.test(name),
  );
}

/** The id that the command line gave the device. */
export function peripheralId(qdev: string | undefined): string | undefined {
  return /^\/machine\/peripheral\/([^/]+)/.exec(qdev ?? '')?.[1];
}
