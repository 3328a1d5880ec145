// The tables that scripts/kallsyms.c lays into the kernel's read-only data (kernel/kallsyms.c reads them).
//
//   num_syms      u32
//   names         per symbol: length (1 byte, or 2 from 6.1 on: low 7 bits first), then token numbers
//   token_table   256 NUL-terminated strings, found through token_index, u16[256]
//   offsets       s32 or u32 per symbol, in one of three address forms
//
// The first character of a decoded name is the type letter of nm(1).

/** Real kernels have 87,000 to 210,000. */
export const symbolCountLimit = 4_000_000;
export const tokenCount = 256;
/** Token strings are a few bytes each; `token_index` is u16, so the table cannot be larger. */
export const tokenTableBytes = 65_536;
/** KSYM_NAME_LEN is 512 since 6.1. */
export const nameLimitBytes = 512;

/**
 * How an offset becomes an address:
 *   percpu    value >= 0 absolute (per-CPU), < 0: relative base - 1 - value     (KALLSYMS_ABSOLUTE_PERCPU, to 6.14)
 *   base      relative base + u32                                              (6.15 to 6.18)
 *   place     address of the offset itself + s32                               (7.0 on)
 */
export const addressForms = ['percpu', 'base', 'place'] as const;
export type AddressForm = (typeof addressForms)[number];
