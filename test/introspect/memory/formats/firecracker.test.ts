// Where Firecracker puts RAM of a size: checked against arch_memory_regions of its releases.
import { firecrackerLayouts } from '../../../../introspect/memory/formats/firecracker.js';

const gib = 2 ** 30;

function runs(sizeBytes: number): unknown {
  return firecrackerLayouts(sizeBytes).map((layout) =>
    layout.map((region) => [region.gpaStart / gib, region.sizeBytes / gib]),
  );
}

test.each([
  [0.125, [[[0, 0.125]], [[0, 0.125]]]],
  [3, [[[0, 3]], [[0, 3]]]],
  [
    3.25,
    [
      [
        [0, 3],
        [4, 0.25],
      ],
      [[0, 3.25]],
    ],
  ],
  [
    300,
    [
      [
        [0, 3],
        [4, 252],
        [512, 45],
      ],
      [
        [0, 3.25],
        [4, 296.75],
      ],
    ],
  ],
])('%d GiB', (sizeGib, expected) => {
  expect(runs(sizeGib * gib)).toEqual(expected);
});
