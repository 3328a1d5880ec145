// What other programs may use of introspection: guest RAM in, page labels out.
export { classify } from './label/classify.js';
export type { DiskHeldPages } from './disk-held.js';
export { type FilePlaces, findFilePlaces } from './heal/file-places.js';
export type { HealingFacts } from './heal/healing-facts.js';
export { findKernel, type Introspected, type Running } from './label/find-kernel.js';
export {
  type ImageFormat,
  imageFormats,
  type ImageState,
  type MemoryImage,
} from './memory/memory-image.js';
export { openImage, type OpenImageOptions } from './memory/open-image-file.js';
export { type MemoryRegion, pageSizeBytes, type PhysicalMemory } from './memory/physical-memory.js';
export { pageClasses, type PageClass, type PageLabel, labelNumbers } from './page-class.js';
export type { CpuState, CpuStates } from './memory/cpu-state.js';
export { readCpuStates } from './memory/device-state.js';
export type { Evidence, GuestKernel, KernelProof, PageMap } from './label/page-map.js';
export { type ErrorCode, errorCodes, ParsError } from './pars-error.js';
