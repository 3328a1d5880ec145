// An overlay's name tells the image under it.
import fc from 'fast-check';
import { imageUnder, overlayPathOf } from '../../../src/hook/libvirt/overlay-name.js';

test('every image is found again under its overlay', () => {
  const image = fc.string({ minLength: 1 }).filter((text) => !/[\n\r\u2028\u2029]/.test(text));
  fc.assert(
    fc.property(image, fc.nat(2 ** 40), (imagePath, momentMs) => {
      expect(imageUnder(overlayPathOf(imagePath, momentMs))).toBe(imagePath);
    }),
  );
});

test.each([
  '/a.img',
  '/a.img.pars',
  '/a.pars-1',
  '/a.pars-1795282991000.bak',
  '.pars-1795282991000',
])('an image %s is no overlay of ours', (path) => {
  expect(imageUnder(path)).toBeUndefined();
});
