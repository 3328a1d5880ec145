// The memory of a VM that libvmi can see, named as libvmi:MODE:NAME, for example libvmi:kvm:mydomain, libvmi:xen:web or
// libvmi:file:/path/to/raw. KVM through KVMI wants its socket too: libvmi:kvm:mydomain?socket=/tmp/introspector.
//
// The VM is paused from opening to closing, else the pages would not be of one moment. It is resumed whatever happens
// but a kill; libvmi does not say whether it was paused before, so that is not brought back.
import { ParsError } from '../../pars-error.js';
import { ImageView } from '../image-view.js';
import type { ImageOpener, MemoryImage } from '../memory-image.js';
import { type MemoryRegion, pageSizeBytes } from '../physical-memory.js';
import {
  loadVmiLibrary,
  type VmiInstance,
  type VmiLibrary,
  type VmiMode,
  vmiModes,
} from './library.js';
import { findRegions } from './regions.js';

const scheme = 'libvmi:';
const modes = Object.keys(vmiModes) as VmiMode[];
/** What a manifest can describe: src/manifest/FORMAT.md. */
const maxAddress = 2 ** 52;
const maxImageBytes = 2 ** 40;

export const libvmiOpener: ImageOpener = {
  format: 'libvmi',
  recognises: (_head, path) => path.startsWith(scheme),
  open: (path) => {
    const { mode, name, socket } = parsePath(path);
    return openVm(loadVmiLibrary(), path, mode, name, socket);
  },
};

function openVm(
  library: VmiLibrary,
  path: string,
  mode: VmiMode,
  name: string,
  socket: string | undefined,
): MemoryImage {
  const vmi = library.open(mode, name, socket);
  let isPaused = false;
  let isOpen = true;
  const close = (): void => {
    if (isOpen) {
      isOpen = false;
      process.off('exit', close);
      if (isPaused) {
        library.resume(vmi);
      }
      library.destroy(vmi);
    }
  };
  // Also when the process is ended in the middle of its work.
  process.on('exit', close);
  try {
    isPaused = library.pause(vmi);
    if (!isPaused) {
      throw new ParsError(
        'unavailable',
        `libvmi cannot pause ${path}, so its pages would not be of one moment`,
      );
    }
    const vm = new PausedVm(library, vmi, path);
    const view = new ImageView(vm.regions, (imageOffset, target) => {
      vm.read(imageOffset, target);
    });
    return { format: 'libvmi', views: [view], close };
  } catch (error) {
    close();
    throw error;
  }
}

class PausedVm {
  readonly regions: readonly MemoryRegion[];
  readonly #library: VmiLibrary;
  readonly #vmi: VmiInstance;
  readonly #path: string;
  readonly #page = Buffer.alloc(pageSizeBytes);

  constructor(library: VmiLibrary, vmi: VmiInstance, path: string) {
    this.#library = library;
    this.#vmi = vmi;
    this.#path = path;
    const endGpa = library.maxPhysicalAddress(vmi);
    if (endGpa === 0 || endGpa > maxAddress || endGpa % pageSizeBytes !== 0) {
      throw new ParsError(
        'image-invalid',
        `${path}: expected RAM in whole pages, up to an address of at most 52 bits, found it to end at 0x${endGpa.toString(16)}`,
      );
    }
    this.regions = findRegions(endGpa, (gpa) => library.read(vmi, gpa, this.#page));
    const sizeBytes = this.regions.reduce((sum, region) => sum + region.sizeBytes, 0);
    if (sizeBytes === 0 || sizeBytes > maxImageBytes) {
      throw new ParsError(
        'image-invalid',
        `${path}: expected between one page and ${maxImageBytes} bytes of RAM, of which libvmi says ` +
          `${library.memorySizeBytes(vmi)}, found ${sizeBytes} that can be read`,
      );
    }
  }

  read(imageOffset: number, target: Uint8Array): void {
    let done = 0;
    for (const region of this.regions) {
      const within = imageOffset + done - region.imageOffset;
      if (within >= 0 && within < region.sizeBytes && done < target.length) {
        const count = Math.min(target.length - done, region.sizeBytes - within);
        this.#readRegion(region.gpaStart + within, target.subarray(done, done + count));
        done += count;
      }
    }
  }

  /** In one call where it can be: each costs a change of worlds. */
  #readRegion(gpa: number, target: Uint8Array): void {
    if (this.#library.read(this.#vmi, gpa, target)) {
      return;
    }
    let done = 0;
    while (done < target.length) {
      const count = Math.min(target.length - done, pageSizeBytes - ((gpa + done) % pageSizeBytes));
      const part = target.subarray(done, done + count);
      if (!this.#library.read(this.#vmi, gpa + done, part)) {
        this.#checkAlive(gpa + done);
        part.fill(0);
      }
      done += count;
    }
  }

  /** A page without memory behind it, as a balloon leaves, reads as zero; a VM that is gone must not. */
  #checkAlive(gpa: number): void {
    const known = this.regions[0].gpaStart;
    if (!this.#library.read(this.#vmi, known, this.#page)) {
      throw new ParsError(
        'image-invalid',
        `${this.#path}: libvmi no longer reads 0x${gpa.toString(16)}, nor 0x${known.toString(16)}, which it did before: ` +
          'has the VM ended?',
      );
    }
  }
}

interface VmName {
  readonly mode: VmiMode;
  readonly name: string;
  readonly socket: string | undefined;
}

function parsePath(path: string): VmName {
  const match = /^libvmi:([a-z]+):([^?]+)(?:\?socket=(.+))?$/.exec(path);
  const mode = modes.find((entry) => entry === match?.[1]);
  const name = match?.[2];
  const socket = match?.[3];
  if (mode === undefined || name === undefined || (socket !== undefined && mode !== 'kvm')) {
    throw new ParsError(
      'usage',
      `${JSON.stringify(path)} names no VM for libvmi: expected libvmi:MODE:NAME with the mode ${modes.join(', ')}, ` +
        'or libvmi:kvm:NAME?socket=PATH',
    );
  }
  return { mode, name, socket };
}
