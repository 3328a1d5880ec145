// The numbers of QEMU's migration stream (qemu migration/savevm.c, migration/ram.c). Big-endian throughout.
//
//   "QEVM" | version | configuration | section ... | 0 end | 6 description of the devices, as JSON
//
// A section says neither its length nor its end: whoever does not know a device cannot pass over its state. RAM comes
// before all devices, so the stream can be read up to there.

export const migrationMagic = Buffer.from('QEVM');
export const migrationVersion = 3;
/** The version of the section `ram`. */
export const ramVersion = 4;

export const sectionTypes = {
  endOfFile: 0x00,
  start: 0x01,
  part: 0x02,
  end: 0x03,
  full: 0x04,
  subsection: 0x05,
  description: 0x06,
  configuration: 0x07,
  command: 0x08,
  footer: 0x7e,
} as const;

/** The configuration's part that lists the capabilities which a destination must share. */
export const capabilitiesSection = 'configuration/capabilities';

/** Commands to the destination that change what RAM the stream holds. Others have a length and are passed over. */
export const postcopyCommands: Readonly<Record<number, string>> = {
  4: 'POSTCOPY_LISTEN',
  5: 'POSTCOPY_RUN',
  6: 'POSTCOPY_RAM_DISCARD',
  7: 'PACKAGED',
};
/** Says beforehand that postcopy may follow: the sizes of host pages, then the page size. */
export const postcopyAdvise = 3;

/** Low bits of a RAM record's first word; above them stands the page's offset in its block. */
export const ramFlags = {
  zero: 0x02,
  memorySize: 0x04,
  page: 0x08,
  endOfSection: 0x10,
  /** The block is that of the record before; its name is left out. */
  continue: 0x20,
  xbzrle: 0x40,
  hook: 0x80,
  compressed: 0x100,
  multifdFlush: 0x200,
} as const;
export const ramFlagsMask = 0xfff;

/** Where `mapped-ram` (QEMU 9.0) keeps a block's pages: version u32, page size, bitmap's and pages' offsets u64. */
export const mappedRamHeaderSizeBytes = 28;
export const mappedRamVersion = 1;
