// Numbers as words of English text. A figure and its unit do not part at a line's end.

const space = '\u00a0';
export const minus = '\u2212';
const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

export interface ByteUnit {
  readonly name: string;
  readonly sizeBytes: number;
}

/** The largest unit of which it is at least one. */
export function byteUnitFor(sizeBytes: number): ByteUnit {
  let unit = 0;
  while (Math.abs(sizeBytes) >= 1024 ** (unit + 1) && unit < byteUnits.length - 1) {
    unit++;
  }
  return { name: byteUnits[unit], sizeBytes: 1024 ** unit };
}

export function bytesInWords(sizeBytes: number): string {
  const unit = byteUnitFor(sizeBytes);
  const digits = unit.sizeBytes === 1 ? 0 : 1;
  return `${fixed(sizeBytes / unit.sizeBytes, digits)}${space}${unit.name}`;
}

/** As links are sold: in decimal bits. */
export function rateInWords(bytesPerSecond: number): string {
  const bits = bytesPerSecond * 8;
  return bits < 1e9
    ? `${fixed(bits / 1e6, 1)}${space}Mbit/s`
    : `${fixed(bits / 1e9, 1)}${space}Gbit/s`;
}

export function percentInWords(fraction: number): string {
  return `${fixed(fraction * 100, 1)}${space}%`;
}

/** A label that is there never reads as 0. */
export function shareInWords(count: number, total: number): string {
  const fraction = total === 0 ? 0 : count / total;
  return count > 0 && fraction < 0.0005 ? `<${space}0.1${space}%` : percentInWords(fraction);
}

/** With its sign, also where it is more: of a difference. */
export function signed(words: string, value: number): string {
  return value > 0 ? `+${words}` : words;
}

/** From 1 in 2 to 1 in a billion: a risk that is there never reads as 0, nor one that is not certain as certain. */
export function probabilityInWords(probability: number): string {
  if (probability === 0 || probability === 1) {
    return `${probability * 100}${space}%`;
  }
  if (probability > 0.9995) {
    return `>${space}99.9${space}%`;
  }
  if (probability >= 0.0001) {
    return `${(probability * 100).toFixed(probability < 0.01 ? 2 : 1)}${space}%`;
  }
  const [mantissa, exponent] = probability.toExponential(1).split('e');
  return `${mantissa}${space}×${space}10${superscript(exponent)}`;
}

function superscript(exponent: string): string {
  return exponent.replace(/./g, (digit) => (digit === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]));
}

export function countInWords(count: number): string {
  return fixed(count, 0);
}

export function decimalInWords(value: number): string {
  return fixed(value, 1);
}

/** `1 page`, `2 pages`. */
export function countOf(count: number, one: string, many = `${one}s`): string {
  return `${countInWords(count)}${space}${count === 1 ? one : many}`;
}

export function secondsInWords(seconds: number): string {
  if (seconds < 1) {
    return `${fixed(seconds * 1000, 0)}${space}ms`;
  }
  if (seconds < 120) {
    return `${fixed(seconds, seconds < 10 ? 1 : 0)}${space}s`;
  }
  return seconds < 7200
    ? `${fixed(seconds / 60, 1)}${space}min`
    : `${fixed(seconds / 3600, 1)}${space}h`;
}

/** The reader's time zone is not known where a report is written. */
export function timeInWords(created: string): string {
  const time = new Date(created);
  return Number.isNaN(time.getTime())
    ? created
    : `${time.toISOString().slice(0, 16).replace('T', space)}${space}UTC`;
}

/** No currency: it is that of the price given. */
export function priceInWords(price: number): string {
  return price !== 0 && price < 1 ? price.toPrecision(2) : fixed(price, 2);
}

function fixed(value: number, digits: number): string {
  const text = Math.abs(value).toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  // No minus before what rounds to nothing.
  return value < 0 && /[1-9]/.test(text) ? minus + text : text;
}
