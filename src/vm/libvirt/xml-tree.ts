// An XML text as a tree that is written back as it was: order, white space, comments and character references stay.
//
// The texts come from libvirt or out of files that somebody hands over, so none is trusted: no document type, hence no
// entities of its own, and limits on length and depth.
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { ParsError } from '../../../introspect/pars-error.js';

const attributesKey = ':@';
const textKey = '#text';
const commentKey = '#comment';
const cdataKey = '#cdata';
const maxNestedTags = 64;
/** The longest of real domains have some hundred kilobytes. */
const maxXmlBytes = 4 * 2 ** 20;

/** An element's children stand under its name; its attributes, as they were written, beside them. */
export type XmlNode = Readonly<Record<string, unknown>>;

const options = {
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  processEntities: false,
  commentPropName: commentKey,
  cdataPropName: cdataKey,
  maxNestedTags,
} as const;

/** `where` is for the message. Throws `image-invalid` for what is no XML, or none that is taken. */
export function parseXml(text: string, where: string): readonly XmlNode[] {
  if (Buffer.byteLength(text) > maxXmlBytes) {
    throw invalid(where, `expected at most ${maxXmlBytes} bytes of XML`);
  }
  if (/<!DOCTYPE/i.test(text)) {
    throw invalid(
      where,
      'expected XML of libvirt, found a document type, which libvirt never writes',
    );
  }
  // The parser takes tags that do not match. The one installed validator is to become a package of its own some day.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  const verdict = XMLValidator.validate(text);
  if (verdict !== true) {
    const { msg, line } = verdict.err;
    throw invalid(where, `expected XML, found in line ${line}: ${msg}`);
  }
  try {
    return new XMLParser(options).parse(text) as readonly XmlNode[];
  } catch (error) {
    throw invalid(where, `XML that is not read: ${(error as Error).message}`, error);
  }
}

export function xmlText(nodes: readonly XmlNode[]): string {
  return nodes.map(nodeText).join('');
}

function nodeText(node: XmlNode): string {
  const name = nameOf(node);
  if (name === textKey) {
    return rawText(node);
  }
  const content = xmlText(childrenOf(node));
  if (name === commentKey) {
    return `<!--${content}-->`;
  }
  if (name === cdataKey) {
    return `<![CDATA[${content}]]>`;
  }
  const attributes = Object.entries(rawAttributes(node))
    // It was written between either kind of quotes.
    .map(([key, value]) => ` ${key}="${value.replaceAll('"', '&quot;')}"`)
    .join('');
  if (name.startsWith('?')) {
    return `<${name}${attributes}?>`;
  }
  return content === '' ? `<${name}${attributes}/>` : `<${name}${attributes}>${content}</${name}>`;
}

/** An element without content. */
export function makeElement(name: string, attributes: Readonly<Record<string, string>>): XmlNode {
  return {
    [name]: [],
    [attributesKey]: Object.fromEntries(
      Object.entries(attributes).map(([key, value]) => [key, encodeValue(value)]),
    ),
  };
}

/** The name of an element. Text and comments have names too, which no element has. */
export function nameOf(node: XmlNode): string {
  return Object.keys(node).find((key) => key !== attributesKey) ?? '';
}

export function childrenOf(node: XmlNode): readonly XmlNode[] {
  const children = node[nameOf(node)];
  return Array.isArray(children) ? (children as readonly XmlNode[]) : [];
}

export function findChildren(node: XmlNode, name: string): readonly XmlNode[] {
  return childrenOf(node).filter((child) => nameOf(child) === name);
}

export function withChildren(node: XmlNode, children: readonly XmlNode[]): XmlNode {
  return { ...node, [nameOf(node)]: children };
}

export function attributeOf(node: XmlNode, name: string): string | undefined {
  const attributes = rawAttributes(node);
  return Object.hasOwn(attributes, name) ? decodeValue(attributes[name]) : undefined;
}

/** All of an element's attributes. */
export function attributesOf(node: XmlNode): readonly (readonly [key: string, value: string])[] {
  return Object.entries(rawAttributes(node)).map(([key, value]) => [key, decodeValue(value)]);
}

/** Whether the node is text in CDATA, which `textOf` does not give. */
export function isCdata(node: XmlNode): boolean {
  return nameOf(node) === cdataKey;
}

/** The others stay as they were written. */
export function withAttribute(node: XmlNode, name: string, value: string): XmlNode {
  return { ...node, [attributesKey]: { ...rawAttributes(node), [name]: encodeValue(value) } };
}

/** What stands directly in the element. */
export function textOf(node: XmlNode): string {
  return decodeValue(childrenOf(node).map(rawText).join(''));
}

function rawText(node: XmlNode): string {
  const text = node[textKey];
  return typeof text === 'string' ? text : '';
}

function rawAttributes(node: XmlNode): Readonly<Record<string, string>> {
  return (node[attributesKey] ?? {}) as Readonly<Record<string, string>>;
}

const namedCharacters: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

function decodeValue(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(\w+));/g, (whole, ...groups) => {
    const [decimal, hex, name] = groups as readonly (string | undefined)[];
    if (name !== undefined) {
      return Object.hasOwn(namedCharacters, name) ? namedCharacters[name] : whole;
    }
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

/** Line ends and tabs in an attribute would be read back as spaces. */
function encodeValue(text: string): string {
  return text.replace(/[&<>"'\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function invalid(where: string, what: string, cause?: unknown): ParsError {
  return new ParsError('image-invalid', `${where}: ${what}`, { cause });
}
