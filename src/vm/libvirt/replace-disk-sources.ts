// The XML of a domain with other files in the place of some of its disks; everything else stays as it was.
import { diskOf, domainOf } from './domain-xml.js';
import {
  childrenOf,
  makeElement,
  nameOf,
  parseXml,
  withAttribute,
  withChildren,
  type XmlNode,
  xmlText,
} from './xml-tree.js';

/** What is said of the old image only: its chain, its encryption, and a copy of it that was under way. */
const ofOldImage: ReadonlySet<string> = new Set(['backingStore', 'mirror', 'encryption']);

/** `rawPaths`: a raw image for each path that is to be replaced. Throws `image-invalid` when the text is no domain. */
export function replaceDiskSources(
  text: string,
  rawPaths: ReadonlyMap<string, string>,
  where: string,
): string {
  const nodes = parseXml(text, where);
  const domain = domainOf(nodes, where);
  const replaced = withChildren(
    domain,
    childrenOf(domain).map((child) =>
      nameOf(child) === 'devices'
        ? withChildren(
            child,
            childrenOf(child).map((device) => replaceDisk(device, rawPaths)),
          )
        : child,
    ),
  );
  // The parser drops what follows the last element: the line end.
  return `${xmlText(nodes.map((node) => (node === domain ? replaced : node)))}\n`;
}

function replaceDisk(device: XmlNode, rawPaths: ReadonlyMap<string, string>): XmlNode {
  if (nameOf(device) !== 'disk') {
    return device;
  }
  const { sourcePath } = diskOf(device);
  const rawPath = sourcePath === undefined ? undefined : rawPaths.get(sourcePath);
  if (rawPath === undefined) {
    return device;
  }
  const children = childrenOf(device)
    .filter((child) => !ofOldImage.has(nameOf(child)))
    .map((child) => {
      switch (nameOf(child)) {
        case 'source':
          return makeElement('source', { file: rawPath });
        case 'driver':
          return withAttribute(child, 'type', 'raw');
        default:
          return child;
      }
    });
  return withAttribute(withChildren(device, children), 'type', 'file');
}
