// The checksums that a guest tells, one line `<checksum>  <name>` each, and how two tellings differ.

/** By name. A line that is no checksum, an error of the program that reads for one, counts as a name without one. */
export function parseChecksums(text: string): Map<string, string> {
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [, checksum, name] = /^([0-9a-f]{32,64}) {2}(.+)$/.exec(line) ?? [line, '', line];
        return [name, checksum];
      }),
  );
}

export function checksumDifferences(
  expected: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
): string[] {
  const names = new Set([...expected.keys(), ...found.keys()]);
  return [...names]
    .filter((name) => expected.get(name) !== found.get(name))
    .map((name) => `${name}: expected ${shown(expected, name)}, found ${shown(found, name)}`);
}

function shown(checksums: ReadonlyMap<string, string>, name: string): string {
  const checksum = checksums.get(name);
  if (checksum === undefined) {
    return 'nothing of that name';
  }
  return checksum === '' ? 'no checksum' : `checksum ${checksum}`;
}
