// Pictures must say light is expendable, dark is critical, without any colour, and no two labels may look alike.
import { pageClasses } from '../../introspect/page-class.js';
import { labelGroups, labelStyles } from '../../src/report/label-style.js';

/** L* of CIELAB, 0 black to 100 white (sRGB, D65). */
function lightness(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const value = parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  const y = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return y > 0.008856 ? 116 * Math.cbrt(y) - 16 : 903.3 * y;
}

test('every label stands in one group of the legend', () => {
  const listed = labelGroups.flatMap(({ labels }) => labels);
  expect([...listed].sort()).toEqual(pageClasses.map(({ label }) => label).sort());
  for (const { title, labels } of labelGroups) {
    for (const label of labels) {
      const { expendable } = pageClasses.find((entry) => entry.label === label) ?? {};
      expect({ label, inExpendableGroup: title.startsWith('Expendable') }).toEqual({
        label,
        inExpendableGroup: expendable,
      });
    }
  }
});

test('without colour, expendable labels are light and critical ones dark', () => {
  for (const { label, expendable } of pageClasses) {
    const light = lightness(labelStyles[label].fill);
    expect({ label, light: light > 77, dark: light < 73 }).toEqual({
      label,
      light: expendable,
      dark: !expendable,
    });
  }
});

test('no two labels look alike', () => {
  const looks = Object.values(labelStyles).map(
    ({ fill, texture, ink }) => `${fill} ${texture} ${ink}`,
  );
  expect(new Set(looks).size).toBe(looks.length);
});
