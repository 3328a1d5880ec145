// Overlays lie beside the image that they cover, and are known by their names: the moment tells one run's from another's.

const overlayName = /^(.+)\.pars-(\d{13})$/;

export const overlayPathOf = (imagePath: string, momentMs: number): string =>
  `${imagePath}.pars-${String(momentMs).padStart(13, '0')}`;

/** The image under an overlay of ours; undefined for any other file. */
export function imageUnder(overlayPath: string): string | undefined {
  return overlayName.exec(overlayPath)?.[1];
}
