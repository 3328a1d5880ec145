// Letters for PNG, which has no text: 5 by 8 dots each, the lowest row for what hangs below the line. A digit in base 32
// is one row from the top, its highest bit the left dot.

export const glyphWidth = 5;
export const glyphHeight = 8;
/** Rows of a glyph that stand on the line. */
export const glyphAscent = 7;

const glyphs: Readonly<Record<string, string>> = {
  ...row(
    '0123456789',
    'ehjlphe0 4c4444e0 eh1248v0 v2421he0 26aiv220 vgu11he0 68guhhe0 v1248880 ehhehhe0 ehhf12c0',
  ),
  ...row(
    'ABCDEFGHIJ',
    'ehhvhhh0 uhhuhhu0 ehggghe0 sihhhis0 vgguggv0 vgguggg0 ehgnhhf0 hhhvhhh0 e44444e0 72222ic0',
  ),
  ...row(
    'KLMNOPQRST',
    'hikokih0 ggggggv0 hrllhhh0 hhpljhh0 ehhhhhe0 uhhuggg0 ehhhlid0 uhhukih0 fgge11u0 v4444440',
  ),
  ...row('UVWXYZ', 'hhhhhhe0 hhhhha40 hhhllla0 hha4ahh0 hhha4440 v1248gv0'),
  ...row(
    'abcdefghij',
    '00e1fhf0 ggmphhu0 00egghe0 11djhhf0 00ehvge0 698s8880 00fhhf1e ggmphhh0 40c444e0 206222ic',
  ),
  ...row(
    'klmnopqrst',
    'ggikoki0 c44444e0 00qllhh0 00mphhh0 00ehhhe0 00uhhugg 00fhhf11 00mpggg0 00fge1u0 88s88960',
  ),
  ...row('uvwxyz', '00hhhjd0 00hhha40 00hhlla0 00ha4ah0 00hhhf1e 00v248v0'),
  ...row('.,:;-+_/', '00000cc0 00000c48 0cc0cc00 0cc0c480 000v0000 044v4400 000000v0 01248g00'),
  ...row('%()<>=~#', 'op248j30 24888420 84222480 248g8420 84212480 00v0v000 008l2000 aavavaa0'),
  ...row(' ?', '00000000 eh124040'),
};

function row(characters: string, encoded: string): Readonly<Record<string, string>> {
  const rows = encoded.split(' ');
  return Object.fromEntries(rows.map((dots, index) => [characters.charAt(index), dots]));
}

/** Whether the letter has a dot there. What has no glyph is drawn as a question mark. */
export function hasDot(character: string, column: number, line: number): boolean {
  const rows = glyphs[character] ?? glyphs['?'];
  return ((parseInt(rows[line], 32) >> (glyphWidth - 1 - column)) & 1) === 1;
}
