// Text as somebody would choose it who wants more than to be read: what a terminal obeys, what hides or turns letters
// round, what ends a line, a cell, an element or a string.

export const hostileTexts: Readonly<Record<string, string>> = {
  'a colour and a cleared screen': '6.1\u001b[31m\u001b[2J\u001b[H',
  'a title of the window': '\u001b]0;owned\u0007',
  'a link of the terminal': '\u001b]8;;http://evil.example\u001b\\click\u001b]8;;\u001b\\',
  'a device control string': '\u001bP$q"p\u001b\\',
  'C1 controls': '\u009b31m\u0090q\u009c\u0085\u0080\u009f',
  'a backspace over what stands before': 'bad\b\b\bgood',
  'a carriage return over the line': 'bad\rpars: all is well',
  'a line of its own': 'x\npars: all is well\r\nmore',
  'other line ends': 'a\u2028b\u2029c\u000bd\u000ce',
  'NUL, DEL and shifts': '\u0000\u007f\u000e\u000f',
  'text turned round': 'abc\u202efdp.exe\u202c\u2066\u2067\u2068\u2069\u200e\u200f\u061c',
  'zero width': 'ro\u200bot\u200c\u200d\u2060\ufeff\u00ad\u034f',
  'what no font shows': '\u115f\u1160\u3164\uffa0\ufe0f\u{e0041}\u{e0001}',
  'half a pair of surrogates': 'a\ud800b\udc00',
  'no characters': '\ufffe\u{1ffff}\ue000',
  'a column of Markdown': '| a | b |\n|---|---|\n`c` ``d`` **e** [f](http://g) <!-- h',
  'code that is not ended': '`<script>alert(1)</script>',
  'HTML and entities': '</td></title><script>alert(1)</script>&lt;img src=x onerror=alert(1)>"\'',
  'who is called': '@everyone a@b.example #1 !1 www.evil.example http://evil.example',
  'a formula': '=HYPERLINK("http://evil.example";"x")',
  'another formula': '@SUM(1+1)*cmd|" /C calc"!A0',
  'a formula with a sign': '+1+cmd|x',
  'a formula with a minus': '-2+3',
  'a formula after a tab': '\t=1+1',
  'a full-width formula': '\uff1d1+1',
  'a format of its own': '{bar} %s %c ${x} $(reboot)',
};

/** A line end is for who prints lines. */
export const unseen = /[^\P{C}\n]|[\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

/** What is in `text` and cannot be seen, or would be obeyed, by its number; for a message that says what is wrong. */
export function unseenIn(text: string): readonly string[] {
  const found = text.match(new RegExp(unseen, 'gu')) ?? [];
  return [...new Set(found)].map((character) => (character.codePointAt(0) ?? 0).toString(16));
}
