// How each label is drawn. Light is expendable and dark is critical, so that the one thing that matters survives a
// printer without colour; hues are those of Okabe and Ito, which people with any kind of colour blindness tell apart;
// labels of one family share a hue and differ by texture.
import type { PageLabel } from '../../introspect/page-class.js';

export type Texture = 'plain' | 'hatch' | 'dots';

/** Colours are `#rrggbb`. */
export interface LabelStyle {
  readonly fill: string;
  readonly texture: Texture;
  /** The colour of the texture's lines or dots. */
  readonly ink: string;
}

function plain(fill: string): LabelStyle {
  return { fill, texture: 'plain', ink: fill };
}

function textured(texture: Texture, fill: string, ink: string): LabelStyle {
  return { fill, texture, ink };
}

export const labelStyles: Readonly<Record<PageLabel, LabelStyle>> = {
  free: plain('#dcebf7'),
  'free-pcp': plain('#9fcdf2'),
  offline: textured('dots', '#dcebf7', '#4a7fae'),
  'file-reread': plain('#a3e2c6'),
  'disk-held': textured('dots', '#a3e2c6', '#00664b'),
  'file-clean': plain('#009e73'),
  'file-dirty': plain('#e69f00'),
  'block-device': plain('#8a6100'),
  anon: plain('#d55e00'),
  'swap-cache': textured('hatch', '#d55e00', '#5a2700'),
  ksm: textured('dots', '#d55e00', '#ffffff'),
  shmem: plain('#cc79a7'),
  zsmalloc: textured('hatch', '#cc79a7', '#5c1f40'),
  hugetlb: plain('#8f3f71'),
  'hugetlb-free': textured('hatch', '#8f3f71', '#ffffff'),
  slab: plain('#0072b2'),
  'large-kmalloc': textured('hatch', '#0072b2', '#ffffff'),
  'page-table': plain('#332288'),
  'kernel-stack': textured('dots', '#332288', '#ffffff'),
  'kernel-image': plain('#000000'),
  reserved: plain('#4d4d4d'),
  other: plain('#8c8c8c'),
  'page-pool': textured('dots', '#8c8c8c', '#000000'),
  device: textured('hatch', '#8c8c8c', '#000000'),
  disk: textured('dots', '#4d4d4d', '#ffffff'),
  'not-ram': textured('hatch', '#4d4d4d', '#ffffff'),
  hwpoison: textured('dots', '#000000', '#f0e442'),
  unknown: textured('hatch', '#000000', '#f0e442'),
};

/** The order of the legend. Every label stands in one group. */
export const labelGroups: readonly {
  readonly title: string;
  readonly labels: readonly PageLabel[];
}[] = [
  { title: 'Expendable: free', labels: ['free', 'free-pcp', 'offline'] },
  { title: 'Expendable: re-readable', labels: ['file-reread', 'disk-held'] },
  { title: 'Critical: files', labels: ['file-clean', 'file-dirty', 'block-device'] },
  {
    title: 'Critical: processes',
    labels: ['anon', 'swap-cache', 'ksm', 'shmem', 'zsmalloc', 'hugetlb', 'hugetlb-free'],
  },
  {
    title: 'Critical: kernel',
    labels: [
      ...(['slab', 'large-kmalloc', 'page-table', 'kernel-stack', 'kernel-image'] as const),
      ...(['reserved', 'other', 'page-pool'] as const),
    ],
  },
  { title: 'Critical: the rest', labels: ['device', 'disk', 'not-ram', 'hwpoison', 'unknown'] },
];
