// What one pass over a migration stream finds out.
import type { PagePlaces } from './page-places.js';

/** Bytes of the file: from `startOffset` up to, not including, `endOffset`. */
export interface FileRange {
  readonly startOffset: number;
  readonly endOffset: number;
}

export interface Configuration {
  readonly range: FileRange;
  /** `pc-q35-7.2` for one. */
  readonly machine: string;
  /** The capabilities that a destination must share. */
  readonly capabilities: readonly string[];
  /** Where they stand in the file. */
  readonly capabilitiesRange: FileRange | undefined;
}

export interface RamBlock {
  readonly name: string;
  readonly sizeBytes: number;
  readonly places: PagePlaces;
}

export interface MigrationStream {
  readonly range: FileRange;
  /** Absent from streams of machines that QEMU had before 2.4. */
  readonly configuration: Configuration | undefined;
  /** In the order of the stream: largest first. */
  readonly blocks: readonly RamBlock[];
  readonly sectionId: number;
  readonly hasFooters: boolean;
  /** Written with the capability mapped-ram: pages have fixed places in the file and no records. */
  readonly isMapped: boolean;
  /** Written with the capability x-ignore-shared: RAM that is a shared file was left out. */
  readonly isRamElsewhere: boolean;
  /** The section that lists the blocks. */
  readonly startSection: FileRange;
  /** Commands between the sections of RAM. */
  readonly commands: readonly FileRange[];
  /** A background snapshot goes on with the devices without ending RAM's sections. */
  readonly hasEndSection: boolean;
  /** Devices and all that follows, without zeroes behind the end. */
  readonly rest: FileRange;
}
