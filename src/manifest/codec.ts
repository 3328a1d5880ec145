// MessagePack as manifests use it. Plain maps without msgpackr's record extension, and numbers for 64-bit integers, which
// are sizes below 2^53. The `/pack` entry is the one without the native string decoder: that has returned wrong strings.
import { Packr } from 'msgpackr/pack';
import { bodyStructure } from './layout.js';
import { type StructureLimits, structureProblem } from './structure.js';

const packr = new Packr({
  useRecords: false,
  variableMapSize: true,
  int64AsType: 'number',
});

export function packValue(value: unknown): Uint8Array {
  return packr.pack(value);
}

/**
 * Byte strings in the result are views of `bytes`. Throws what msgpackr throws, and an error for what is beyond the limits
 * before memory is taken for it.
 */
export function unpackValue(bytes: Uint8Array, limits: StructureLimits = bodyStructure): unknown {
  const problem = structureProblem(bytes, limits);
  if (problem !== undefined) {
    throw new Error(problem);
  }
  return packr.unpack(bytes.subarray()); // a view of our own, because msgpackr hangs a property on what it is given
}
