// What a VM may be called: any text that a file name can hold, letter for letter. Nothing is replaced in a name and no two
// spellings are made one, so two names are of one VM only where all of their characters are the same: `Web` and `web` are two,
// and so are the composed and the decomposed form of one word (NFC and NFD of Unicode). Pure.

/** In UTF-8, and no more than a file name of Linux may have. */
const maxNameBytes = 255;

/** Control characters, and what begins a new line or paragraph. */
const controls = /[\p{Cc}\p{Zl}\p{Zp}]/u;
/** What stands for bytes that are no UTF-8 once they are text; halves of pairs of surrogates are none either. */
const noText = /[\ufffd\p{Surrogate}]/u;

/** For messages. */
export const vmNameForm = `text of 1 to ${maxNameBytes} bytes without control characters and "/"`;

/** Why no VM can be called so, in words; undefined where one can. */
export function vmNameProblem(name: string): string | undefined {
  if (name.trim() === '') {
    return 'it is empty';
  }
  if (noText.test(name)) {
    return 'it is not UTF-8';
  }
  if (controls.test(name)) {
    return 'it holds a control character';
  }
  if (name.includes('/')) {
    return 'it holds a "/"';
  }
  if (name === '.' || name === '..') {
    return 'it stands for a folder';
  }
  const sizeBytes = Buffer.byteLength(name);
  return sizeBytes > maxNameBytes ? `it has ${sizeBytes} bytes` : undefined;
}
