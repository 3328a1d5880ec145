// The evidence for one page's label, as `classify --explain` prints it.
import type { PageExplanation } from '../../../introspect/explain/explain.js';
import { type FileEvidence, filePageCount } from '../../../introspect/explain/file.js';
import type { MemmapReading } from '../../../introspect/explain/memmap-reading.js';
import type { StructPage } from '../../../introspect/explain/struct-page.js';
import { type Lines, paragraphs } from '../../text/standard-streams.js';
import { formatHex, wrapText } from '../shared/format.js';

const columnCount = 80;
const checkIndentWidth = 6;
const nameWidth = 16;

type Line = readonly [name: string, value: string];

export function explainText(page: PageExplanation): Lines {
  const { pfn, gpa, imageOffset, label, pageClass, agrees, conclusion } = page;
  const sections = [
    lines([
      ['frame', `${pfn} (${formatHex(pfn)})`],
      ['gpa', formatHex(gpa)],
      ['image offset', formatHex(imageOffset)],
      ['zone by span', page.zones.length === 0 ? 'none' : page.zones.join('; ')],
      ...(page.memmap === undefined ? [] : structPageLines(page.memmap, page.zoneByFlags)),
      ...page.memberships.map((claim, index): Line => [index === 0 ? 'claimed as' : '', claim]),
    ]),
    page.memmap?.file === undefined ? [] : lines(fileLines(page.memmap.file)),
    page.checks.map(checkLine),
    lines([
      ['label', `${label}: ${pageClass.meaning}`],
      ['class', pageClass.expendable ? 'expendable' : 'critical'],
      ['if it is lost', pageClass.loss],
      ...(agrees
        ? []
        : [['but', `the evidence comes to ${conclusion}: a defect of pars`] satisfies Line]),
    ]),
  ];
  return paragraphs(sections);
}

function lines(entries: readonly Line[]): Lines {
  return entries.map(([name, value]) =>
    wrapText(`${name.padEnd(nameWidth)}${value}`, columnCount, nameWidth),
  );
}

function checkLine({ holds, condition, found }: PageExplanation['checks'][number]): Lines {
  const text = `  ${holds ? 'ok' : 'no'}  ${condition}${found === '' ? '' : ` (${found})`}`;
  return wrapText(text, columnCount, checkIndentWidth);
}

function structPageLines(
  { page, block, head }: MemmapReading,
  zone: string | undefined,
): readonly Line[] {
  if (page === undefined) {
    return [['struct page', 'none: its section is not online']];
  }
  const words = page.words.map((word) => word.toString(16).padStart(16, '0'));
  const standing =
    block === undefined
      ? page.isTail
        ? 'a tail, but of no block'
        : 'none: a page of its own'
      : `${block.kind}, head at frame ${block.headPfn}${block.headPfn === page.pfn ? ' (this one)' : ''}, ` +
        `order ${block.order}`;
  return [
    ['zone by flags', zone ?? 'unknown'],
    ['struct page', formatHex(page.address)],
    ['words', words.join(' ')],
    ...userLines(page),
    ['block', standing],
    // Nothing but its head says what a tail is.
    ...(head === undefined
      ? []
      : userLines(head).map(([name, value]): Line => [`head ${name}`, value])),
  ];
}

/** What says who uses a page. Of a tail, `mapping` and `index` are not its own. */
function userLines(page: StructPage): readonly Line[] {
  return [
    ['flags', page.flagNames.length === 0 ? 'none' : page.flagNames.join(' ')],
    [
      '_mapcount',
      page.type === undefined
        ? `mapped ${page.mapCount ?? 0} times`
        : `${formatHex(page.typeWord)}: page type ${page.type}`,
    ],
    ['_refcount', String(page.refCount)],
    ['private', formatHex(page.private)],
    ...(page.isTail
      ? []
      : ([
          [
            'mapping',
            `${formatHex(page.mapping)}${page.mapping === 0n ? '' : `: ${page.mappingTag}`}`,
          ],
          ['index', String(page.index)],
        ] satisfies Line[])),
  ];
}

function fileLines(file: FileEvidence): readonly Line[] {
  const known = (value: number | bigint | undefined): string =>
    value === undefined ? 'unknown' : String(value);
  const { mode, mappingFlags, inodeFlags } = file;
  return [
    [
      'file',
      file.kind === 'block-device'
        ? 'a block device'
        : (file.path ?? 'no name in the dentry cache'),
    ],
    ['inode', `${known(file.inodeNumber)} at ${formatHex(file.inode)}`],
    ['i_mode', mode === undefined ? 'unknown' : `0${mode.toString(8)}`],
    ['i_nlink', known(file.linkCount)],
    ['i_size', `${known(file.sizeBytes)} bytes, ${filePageCount(file)} pages`],
    ['i_flags', inodeFlags === undefined ? 'unknown' : formatHex(inodeFlags)],
    ...(file.ownDevice === undefined ? [] : [['i_rdev', file.ownDevice] satisfies Line]),
    [
      'mapping flags',
      mappingFlags === undefined
        ? 'unknown'
        : `${formatHex(mappingFlags)} ${file.mappingFlagNames.join(' ')}`.trimEnd(),
    ],
    [
      'file system',
      `${file.fileSystem ?? 'unknown'} on ${file.disk ?? 'no disk'}` +
        (file.device === undefined ? '' : `, s_dev ${file.device}`),
    ],
    ['kind of file', file.kind],
  ];
}
