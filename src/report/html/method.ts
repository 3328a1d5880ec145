// What the figures rest on: assumptions, formulas and where they come from, and what could not be compared.
import type { Assumptions, SnapshotReport } from '../model/report.js';
import { bytesInWords, countOf, priceInWords } from '../words.js';
import { linkInWords } from './alternatives.js';
import { type Content, type Markup, markup } from './markup.js';
import { factList } from './subject.js';

export function assumptionFacts(assumptions: Assumptions): Markup {
  const { nodeCount, annualFailureRate, repairHours, pricePerTbMonth, blockSizeBytes } =
    assumptions;
  return factList([
    ['Cluster', countOf(nodeCount, 'node')],
    ['Failures', `${annualFailureRate} a year and node, independent of each other`],
    ['Repair', `${countOf(repairHours, 'hour')} until what a node held is there again`],
    ['Link', `${linkInWords(assumptions)}, taken as the narrowest place`],
    ['HDFS block', bytesInWords(blockSizeBytes)],
    [
      'Price',
      pricePerTbMonth === null
        ? 'none given'
        : `${priceInWords(pricePerTbMonth)} per 10¹² bytes and month`,
    ],
  ]);
}

interface Method {
  readonly name: string;
  readonly formula: Content;
  readonly source: string;
}

/** As src/report/model counts. C(n, k): the number of choices of k among n. */
const methods: readonly Method[] = [
  {
    name: 'Published metric',
    formula: '1 − (3 × critical pages + expendable pages) / (3 × all pages)',
    source: 'the published result of this kind: no compression, zero pages counted',
  },
  {
    name: 'Saving',
    formula: '1 − stored bytes / (3 × size of the raw file)',
    source: 'stored bytes are all copies and all parity, on all disks of the cluster',
  },
  {
    name: 'Erasure coding',
    formula:
      'stripes of d cells of 1 MiB with p cells of parity, those of the last stripe as long as its longest cell',
    source: 'Apache Hadoop, “HDFS Erasure Coding”',
  },
  {
    name: 'k of N nodes gone',
    formula:
      'a block on w nodes, n of which are needed, is lost when more than w − n of them are among the k; for r copies in C(N − r, k − r) of C(N, k) choices. Any lost block of all counts',
    source:
      'hypergeometric distribution, nodes chosen evenly and independently, racks left out; for what is stored, every choice of nodes held against where its blocks really lie',
  },
  {
    name: 'Within a year',
    formula: markup`1 − e<sup>−rate</sup>, where each set of s = w − n + 1 nodes whose loss costs a block adds s λ<sup>s</sup> T<sup>s−1</sup> to the rate; B blocks make M (1 − (1 − C(w, s) / M)<sup>B</sup>) such sets, M = C(N, s). λ: failures of a node in a year; T: repair time`,
    source:
      'Patterson, Gibson and Katz, “A Case for Redundant Arrays of Inexpensive Disks”, SIGMOD 1988; Cidon et al., “Copysets: Reducing the Frequency of Data Loss in Cloud Storage”, USENIX ATC 2013',
  },
  {
    name: 'Upload and restore',
    formula:
      'the client sends one copy, or data and parity where coded, and reads what holds the data once, over the assumed link; further copies go from node to node',
    source:
      'how HDFS writes: a pipeline of DataNodes for copies, units from the client where coded',
  },
];

export function methodList(): Markup {
  return markup`
<dl class="methods">${methods.map(
    ({ name, formula, source }) => markup`
<div><dt>${name}</dt><dd>${formula}. <span class="aside">Source: ${source}.</span></dd></div>`,
  )}
</dl>`;
}

export function notComparedList({ notCompared }: SnapshotReport): Markup {
  return notCompared.length === 0
    ? markup`<p>Everything that this report knows of is compared.</p>`
    : markup`
<ul>${notCompared.map(({ title, reason }) => markup`<li><strong>${title}:</strong> ${reason}</li>`)}</ul>`;
}
