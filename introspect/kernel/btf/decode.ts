// Decodes a BTF blob into an index of its types. Refuses a blob that is not whole: a kernel's memory also holds the
// corpse of the decompressor's copy, with a good header over reused bytes.
import { Btf } from './btf.js';
import {
  btfLimitBytes,
  btfMagic,
  btfTypeLimit,
  btfVersion,
  headerMinBytes,
  kindOf,
  payloadBytes,
  typeRecordBytes,
  vlenOf,
} from './layout.js';

export type BtfResult =
  { readonly ok: true; readonly btf: Btf } | { readonly ok: false; readonly reason: string };

export function decodeBtf(blob: Buffer): BtfResult {
  const fail = (reason: string): BtfResult => ({ ok: false, reason: `BTF: ${reason}` });
  if (blob.length < headerMinBytes) {
    return fail(`expected a header of ${headerMinBytes} bytes, found ${blob.length}`);
  }
  if (blob.length > btfLimitBytes) {
    return fail(`${blob.length} bytes are over the limit of ${btfLimitBytes}`);
  }
  const magic = blob.readUInt16LE(0);
  if (magic !== btfMagic) {
    return fail(`expected magic 0x${btfMagic.toString(16)}, found 0x${magic.toString(16)}`);
  }
  if (blob[2] !== btfVersion) {
    return fail(`expected version ${btfVersion}, found ${blob[2]}`);
  }
  const headerBytes = blob.readUInt32LE(4);
  const [typeOffset, typeBytes, stringOffset, stringBytes] = [8, 12, 16, 20].map((at) =>
    blob.readUInt32LE(at),
  );
  if (headerBytes < headerMinBytes || headerBytes % 4 !== 0) {
    return fail(`header length ${headerBytes} is impossible`);
  }
  const room = blob.length - headerBytes;
  if (typeOffset % 4 !== 0 || typeOffset + typeBytes > room || stringOffset + stringBytes > room) {
    return fail(
      `sections end beyond the blob's ${blob.length} bytes (types ${typeOffset}+${typeBytes}, strings ${stringOffset}+${stringBytes})`,
    );
  }
  const types = blob.subarray(headerBytes + typeOffset, headerBytes + typeOffset + typeBytes);
  const strings = blob.subarray(
    headerBytes + stringOffset,
    headerBytes + stringOffset + stringBytes,
  );
  if (stringBytes === 0 || strings[0] !== 0 || strings[stringBytes - 1] !== 0) {
    return fail('the string section does not begin and end with a NUL');
  }
  // Type ids count from 1 in file order; 0 is void.
  const offsets = new Uint32Array(Math.floor(typeBytes / typeRecordBytes) + 1);
  let count = 1;
  let at = 0;
  while (at < typeBytes) {
    if (at + typeRecordBytes > typeBytes) {
      return fail(`type ${count} at ${at} is cut off`);
    }
    if (count > btfTypeLimit) {
      return fail(`expected at most ${btfTypeLimit} types, found more`);
    }
    const info = types.readUInt32LE(at + 4);
    const payload = payloadBytes(kindOf(info), vlenOf(info));
    if (payload === undefined) {
      return fail(`type ${count} at ${at} has the unknown kind ${kindOf(info)}`);
    }
    if (types.readUInt32LE(at) >= stringBytes) {
      return fail(`type ${count} at ${at} has its name outside the strings`);
    }
    offsets[count++] = at;
    at += typeRecordBytes + payload;
  }
  if (at !== typeBytes) {
    return fail(`the last type ends at ${at}, the section at ${typeBytes}`);
  }
  return { ok: true, btf: new Btf(types, strings, offsets.subarray(0, count)) };
}
