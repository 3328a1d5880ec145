// Which of a stream's RAM blocks are the machine's RAM, as opposed to video memory, firmware and tables.
import type { RamBlock } from './types.js';

/** As libvirt names the memory of NUMA nodes. The machine has it in the order of their numbers. */
const nodeName = /^ram-node(\d+)$/;

export function isMainRam(blocks: readonly RamBlock[]): (block: RamBlock) => boolean {
  const main = new Set(mainRamOf(blocks));
  return (block) => main.has(block);
}

/** In the order of the machine's addresses. Not empty. */
export function mainRamOf(blocks: readonly RamBlock[]): readonly RamBlock[] {
  const nodes = blocks
    .flatMap((block) => {
      const number = nodeName.exec(block.name)?.[1];
      return number === undefined ? [] : [{ block, number: Number(number) }];
    })
    .sort((a, b) => a.number - b.number)
    .map(({ block }) => block);
  if (nodes.length > 0) {
    return nodes;
  }
  const largest = blocks.reduce((best, block) => (block.sizeBytes > best.sizeBytes ? block : best));
  return [largest];
}
