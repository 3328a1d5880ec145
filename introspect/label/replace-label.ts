// Every page with one label gets another.

export function replaceLabel(labels: Uint8Array, from: number, to: number): void {
  for (let at = labels.indexOf(from); at >= 0; at = labels.indexOf(from, at + 1)) {
    labels[at] = to;
  }
}
