// Which snapshots may lie in a folder, by the names in it. Pure; whether they are whole is asked later.
//
//   web.ram, web.raw, web.mem [+ web.state, web.vmstate or web.snap]    RAM as it is, with its device state beside it
//   web/ with config.json, state.json and memory-ranges                 Cloud Hypervisor
//   anything else                                                       a format that its content says, and ends properly
//
// A file whose content says nothing is RAM by its name alone, or nothing: a note in the folder is no snapshot.

export interface FolderItem {
  readonly name: string;
  /** Names in it, where it is a folder. */
  readonly children: readonly string[] | undefined;
}

export interface Candidate {
  /** The image's name in the folder. */
  readonly name: string;
  /** The name of the device state beside the image. */
  readonly state: string | undefined;
  /** All that has to keep still, by paths from the folder on. */
  readonly members: readonly string[];
  /** Whether a file without any format's mark is RAM. */
  readonly mayBeFlat: boolean;
  /** Set where it cannot be whole yet: what is missing. */
  readonly missing: string | undefined;
}

const flatSuffixes = ['.ram', '.raw', '.mem'];
/** How files of flat RAM end, and files of the other formats by the habits of those who write them. */
const formatEndings = [
  ...flatSuffixes,
  ...['.migration', '.mig', '.stream', '.save', '.sav', '.elf', '.core', '.dump'],
];
const stateSuffixes = ['.state', '.vmstate', '.snap'];
const temporaryName = /^\.|\.(?:part|tmp)$/;
const mapSuffix = '.map.json';
const cloudHypervisorFiles = ['config.json', 'state.json', 'memory-ranges'];

/** By name. */
export function candidatesOf(items: readonly FolderItem[]): readonly Candidate[] {
  const whole = items.filter(({ name }) => !temporaryName.test(name));
  const files = new Set(whole.filter(({ children }) => !children).map(({ name }) => name));
  return whole
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ name, children }) =>
      children === undefined ? fileCandidate(name, files) : folderCandidate(name, children),
    );
}

function fileCandidate(name: string, files: ReadonlySet<string>): readonly Candidate[] {
  const isBesideAnother =
    name.endsWith(mapSuffix) || stateSuffixes.some((suffix) => name.endsWith(suffix));
  if (isBesideAnother) {
    return [];
  }
  const flatSuffix = flatSuffixes.find((suffix) => name.endsWith(suffix));
  const stem = flatSuffix === undefined ? name : name.slice(0, -flatSuffix.length);
  const state =
    flatSuffix === undefined
      ? undefined
      : stateSuffixes.map((suffix) => `${stem}${suffix}`).find((other) => files.has(other));
  const map = `${name}${mapSuffix}`;
  return [
    {
      name,
      state,
      members: [name, ...(state === undefined ? [] : [state]), ...(files.has(map) ? [map] : [])],
      mayBeFlat: flatSuffix !== undefined,
      missing:
        flatSuffix === '.mem' && state === undefined
          ? `the device state beside it, ${stateSuffixes.map((suffix) => stem + suffix).join(' or ')}`
          : undefined,
    },
  ];
}

/** Another folder than Cloud Hypervisor's is none of ours. */
function folderCandidate(name: string, children: readonly string[]): readonly Candidate[] {
  const missing = cloudHypervisorFiles.filter((file) => !children.includes(file));
  if (missing.length === cloudHypervisorFiles.length) {
    return [];
  }
  return [
    {
      name,
      state: undefined,
      members: children.map((child) => `${name}/${child}`).toSorted(),
      mayBeFlat: false,
      missing: missing.length === 0 ? undefined : missing.join(', '),
    },
  ];
}

/**
 * What a VM is called whose snapshot is a file of this name: what stands before an ending that tells a format, letter for
 * letter. Any other ending is a part of the name, since `db.1` and `db.2` may be two VMs.
 */
export function vmOfFile(name: string): string {
  const ending = formatEndings.find((known) => name.endsWith(known) && name.length > known.length);
  return ending === undefined ? name : name.slice(0, -ending.length);
}
