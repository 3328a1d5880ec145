// Writes a "newc" cpio archive, the form in which the kernel takes an initramfs.
// Done here rather than with cpio(1) because an archive written by hand can hold
// root's files and device nodes without being root.

const MODE_DIRECTORY = 0o040000;
const MODE_REGULAR = 0o100000;
const MODE_SYMLINK = 0o120000;
const MODE_CHARACTER = 0o020000;

export type CpioEntry =
  | { readonly kind: 'directory'; readonly path: string }
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly content: Uint8Array;
      readonly executable?: boolean;
    }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  | {
      readonly kind: 'character-device';
      readonly path: string;
      readonly major: number;
      readonly minor: number;
    };

/** Parents must come before their children; the kernel creates none by itself. */
export function encodeCpio(entries: readonly CpioEntry[]): Buffer {
  const records = entries.map((entry, index) => {
    const inode = index + 1;
    switch (entry.kind) {
      case 'directory':
        return encodeRecord({ path: entry.path, inode, mode: MODE_DIRECTORY | 0o755 });
      case 'file': {
        const mode = MODE_REGULAR | (entry.executable === true ? 0o755 : 0o644);
        return encodeRecord({ path: entry.path, inode, mode, content: entry.content });
      }
      case 'symlink': {
        const content = Buffer.from(entry.target);
        return encodeRecord({ path: entry.path, inode, mode: MODE_SYMLINK | 0o777, content });
      }
      case 'character-device': {
        const { major, minor } = entry;
        return encodeRecord({
          path: entry.path,
          inode,
          mode: MODE_CHARACTER | 0o600,
          major,
          minor,
        });
      }
    }
  });
  return Buffer.concat([...records, encodeRecord({ path: 'TRAILER!!!', inode: 0, mode: 0 })]);
}

interface CpioRecord {
  readonly path: string;
  readonly inode: number;
  readonly mode: number;
  readonly content?: Uint8Array;
  readonly major?: number;
  readonly minor?: number;
}

function encodeRecord(record: CpioRecord): Buffer {
  const content = record.content ?? Buffer.alloc(0);
  const name = Buffer.from(`${record.path}\0`);
  const fields = [
    record.inode,
    record.mode,
    0, // uid
    0, // gid
    1, // links
    0, // modification time: none, so that equal content gives an equal archive
    content.length,
    0, // device of the file itself
    0,
    record.major ?? 0,
    record.minor ?? 0,
    name.length,
    0, // checksum, unused by newc
  ];
  const header = '070701' + fields.map((field) => field.toString(16).padStart(8, '0')).join('');
  return Buffer.concat([padToWord(Buffer.concat([Buffer.from(header), name])), padToWord(content)]);
}

function padToWord(bytes: Uint8Array): Uint8Array {
  const missing = -bytes.length & 3;
  return missing === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(missing)]);
}
