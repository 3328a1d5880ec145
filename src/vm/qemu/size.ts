// Sizes as QEMU's options write them: `512M`, `0.5G`, `0x20000000`. (QEMU util/cutils.c, qemu_strtosz)

const units = 'BKMGTPE';

/** In bytes where no unit is given. Undefined when it is no size. */
export function parseSize(text: string): number | undefined {
  if (/^0x[0-9a-f]+$/i.test(text)) {
    return Number(text);
  }
  const parts = /^(\d+(?:\.\d+)?)([BKMGTPE]?)$/i.exec(text);
  if (parts === null) {
    return undefined;
  }
  const power = parts[2] === '' ? 0 : units.indexOf(parts[2].toUpperCase());
  return Math.trunc(Number(parts[1]) * 1024 ** power);
}
