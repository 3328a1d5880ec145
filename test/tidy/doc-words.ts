// With which words no doc comment begins. An editor shows a doc comment alone, where its name is used, so it must say by itself
// what the thing is; these words only say it to those who have read the comment above or the name that follows.

const leaning =
  /^(?:\.\.\.|(?:of|and|but|or|then|also|likewise|as above|the same|both|its?|they|their|those|that of)\b)/i;

/** The word, or words, with which a doc comment leans on what stands around it; undefined for one that can be read alone. */
export function leaningWord(text: string): string | undefined {
  return leaning.exec(text)?.[0];
}
