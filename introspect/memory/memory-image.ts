// An opened container of guest RAM, whatever its format: the one shape that every opener of this folder returns.
import type { CpuStates } from './cpu-state.js';
import type { MemoryRegion, PhysicalMemory } from './physical-memory.js';

/** Names as `--format` takes them. */
export const imageFormats = [
  'raw',
  'elf',
  'migration',
  'libvirt-save',
  'firecracker',
  'cloud-hypervisor',
  'libvmi',
] as const;
export type ImageFormat = (typeof imageFormats)[number];

/** What a container holds beside the RAM and a restore needs, such as the devices of a migration stream. */
export interface ImageState {
  readonly sizeBytes: number;
  /** The bytes of the state from the beginning, at every call. Ends with the image. */
  content(): Iterable<Uint8Array>;
}

export interface MemoryImage {
  readonly format: ImageFormat;
  /**
   * The ways the container's bytes may map to guest-physical addresses, likeliest first. One, where the container says
   * it; several for a raw file, among which the kernel inside decides.
   */
  readonly views: readonly PhysicalMemory[];
  /**
   * A view of the image's bytes laid out otherwise: `regions` ascend, and have all of the bytes. Set where neither the
   * container nor a map says anything of addresses.
   */
  readonly viewAt?: (regions: readonly MemoryRegion[]) => PhysicalMemory;
  /** Set where no kernel can be looked for, for example another machine's: why. The pages can still be kept. */
  readonly unsupported?: string;
  /** Absent where the container is RAM alone. */
  readonly state?: ImageState;
  /** What the container says of the CPUs; absent where its format has nothing of them that is read. */
  readonly cpus?: CpuStates;
  /** Ends every view, and the state. */
  close(): void;
}

export interface OpenOptions {
  /** Where the container says nothing of its addresses: the file that does. */
  readonly mapPath?: string | undefined;
}

/** One format of `openImage`'s table. */
export interface ImageOpener {
  readonly format: ImageFormat;
  /** Whether `mapPath` means anything to it. */
  readonly takesMap?: boolean;
  /** `head` is the file's first `imageHeadSizeBytes` at most; empty for a folder. */
  recognises(head: Buffer, path: string): boolean;
  /** Throws `image-invalid` when the container is damaged. Nothing stays open then. */
  open(path: string, options: OpenOptions): MemoryImage;
}

export const imageHeadSizeBytes = 4096;
