// libvmi's C library, called through koffi. Both are loaded here and only when a libvmi source is asked for: koffi is an
// optional package, and libvmi (LGPL) is what the machine has installed.
//
// Signatures are those of libvmi.h since 0.14. `vmi_init` and not `vmi_init_complete`: the latter also looks for the
// guest's kernel by a profile that the user must have written, and nothing of that is needed to read physical memory.
import { createRequire } from 'node:module';
import { ParsError } from '../../pars-error.js';

/** vmi_mode_t. */
export const vmiModes = { xen: 0, kvm: 1, file: 2 } as const;
export type VmiMode = keyof typeof vmiModes;

/** Handle of libvmi; koffi knows what it is. */
export type VmiInstance = unknown;

export interface VmiLibrary {
  /** Throws `unavailable` with the stage at which libvmi failed. */
  open(mode: VmiMode, name: string, kvmiSocket: string | undefined): VmiInstance;
  /** One past the highest guest-physical address that may be RAM. */
  maxPhysicalAddress(vmi: VmiInstance): number;
  memorySizeBytes(vmi: VmiInstance): number;
  /** False where not all of it is RAM. */
  read(vmi: VmiInstance, gpa: number, target: Uint8Array): boolean;
  pause(vmi: VmiInstance): boolean;
  resume(vmi: VmiInstance): boolean;
  destroy(vmi: VmiInstance): void;
}

/** The library to load in place of the installed one. */
const pathVariable = 'PARS_LIBVMI';
const installedNames = ['libvmi.so.0', 'libvmi.so'];

const success = 0;
const initDomainName = 1n;
const initDataKvmiSocket = 2n;

/** vmi_init_error_t. */
const initErrors = [
  'no reason given',
  'no hypervisor was detected',
  'the driver of the hypervisor failed; is the user allowed to control VMs?',
  'there is no such VM',
  'paging could not be determined',
  'the operating system could not be determined',
  'events could not be set up',
  'no configuration was found',
  'the configuration has no entry for the VM',
];

/** What of koffi is used; its own types come with the package, which need not be there. */
interface Koffi {
  load(name: string): { func(prototype: string): (...values: unknown[]) => number | bigint };
  struct(fields: Readonly<Record<string, string>>): unknown;
  pointer(type: unknown): unknown;
  as(value: unknown, type: unknown): unknown;
}

let loaded: VmiLibrary | undefined;

/** Throws `unsupported` when koffi or libvmi is missing, saying where to get it. */
export function loadVmiLibrary(): VmiLibrary {
  return (loaded ??= bind(loadKoffi()));
}

function loadKoffi(): Koffi {
  try {
    return createRequire(import.meta.url)('koffi') as Koffi;
  } catch (error) {
    throw new ParsError(
      'unsupported',
      'reading a VM through libvmi needs the npm package koffi, which is not there: npm install koffi',
      { cause: error },
    );
  }
}

function bind(koffi: Koffi): VmiLibrary {
  const library = loadLibrary(koffi);
  const init = library.func(
    'int vmi_init(_Out_ void **vmi, int mode, const char *domain, uint64_t flags, void *data, _Out_ int *error)',
  );
  const maxPhysicalAddress = library.func('uint64_t vmi_get_max_physical_address(void *vmi)');
  const memorySize = library.func('uint64_t vmi_get_memsize(void *vmi)');
  const readPa = library.func(
    'int vmi_read_pa(void *vmi, uint64_t paddr, size_t count, void *buf, void *bytes_read)',
  );
  const pause = library.func('int vmi_pause_vm(void *vmi)');
  const resume = library.func('int vmi_resume_vm(void *vmi)');
  const destroy = library.func('int vmi_destroy(void *vmi)');
  // vmi_init_data_t with one entry.
  const initData = koffi.pointer(
    koffi.struct({ count: 'uint64_t', type: 'uint64_t', data: 'const char *' }),
  );
  return {
    open: (mode, name, kvmiSocket) => {
      const data =
        kvmiSocket === undefined
          ? null
          : koffi.as({ count: 1n, type: initDataKvmiSocket, data: kvmiSocket }, initData);
      const vmi: VmiInstance[] = [null];
      const error = [0];
      if (init(vmi, vmiModes[mode], name, initDomainName, data, error) !== success) {
        const reason = initErrors.at(error[0]) ?? `error ${error[0]}`;
        throw new ParsError(
          'unavailable',
          `libvmi cannot open ${JSON.stringify(name)} in ${mode} mode: ${reason}`,
        );
      }
      return vmi[0];
    },
    maxPhysicalAddress: (vmi) => Number(maxPhysicalAddress(vmi)),
    memorySizeBytes: (vmi) => Number(memorySize(vmi)),
    // As bigint: a number from 2^63 on would become another address without a word.
    read: (vmi, gpa, target) =>
      readPa(vmi, BigInt(gpa), BigInt(target.length), target, null) === success,
    pause: (vmi) => pause(vmi) === success,
    resume: (vmi) => resume(vmi) === success,
    destroy: (vmi) => {
      destroy(vmi);
    },
  };
}

function loadLibrary(koffi: Koffi): ReturnType<Koffi['load']> {
  const path = process.env[pathVariable];
  const names = path === undefined ? installedNames : [path];
  const problems: string[] = [];
  for (const name of names) {
    try {
      return koffi.load(name);
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new ParsError(
    'unsupported',
    `reading a VM through libvmi needs ${names.join(' or ')}, which cannot be loaded (${problems.join('; ')}): ` +
      `build it from https://github.com/libvmi/libvmi, or name the library in ${pathVariable}`,
  );
}
