// One file of Hadoop's configuration, as it is written:
//
//   <configuration xmlns:xi="http://www.w3.org/2001/XInclude">
//     <property><name>dfs.nameservices</name><value>ns</value><final>true</final></property>
//     <property name="dfs.nameservices" value="ns" final="true"/>        the same in short
//     <xi:include href="other.xml"><xi:fallback> ... </xi:fallback></xi:include>
//   </configuration>
//
// Whoever may write it says where data goes, so it is trusted with that; it is bounded all the same, and has no document type,
// hence no entities of its own.

import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { ParsError } from '../../../../introspect/pars-error.js';

/** Clusters with all there is to set have some hundred kilobytes. */
export const maxResourceBytes = 4 * 2 ** 20;
const maxNestedTags = 32;

export interface Property {
  readonly kind: 'property';
  readonly name: string;
  readonly value: string;
  /** What comes later does not change it. */
  readonly isFinal: boolean;
}

/** Another file's entries stand here. */
export interface Include {
  readonly kind: 'include';
  /** As it is written. */
  readonly href: string;
  /** Where that file is not there; undefined where it must be. */
  readonly fallback: readonly Entry[] | undefined;
}

export type Entry = Property | Include;

const attributesKey = ':@';
const textKey = '#text';

type XmlNode = Readonly<Record<string, unknown>>;

const parserOptions = {
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  processEntities: true,
  // For character references by number.
  htmlEntities: true,
  // Whatever letters stand for XInclude.
  removeNSPrefix: true,
  maxNestedTags,
} as const;

/** `where` is the file, for messages. Throws `usage` for what is no configuration. */
export function parseResource(text: string, where: string): readonly Entry[] {
  if (/<!DOCTYPE/i.test(text)) {
    throw wrong(where, 'expected no document type, found one; take it out');
  }
  // The parser takes tags that do not match. The one installed validator is to become a package of its own some day.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  const verdict = XMLValidator.validate(text);
  if (verdict !== true) {
    const { msg, line } = verdict.err;
    throw wrong(where, `expected XML, found in line ${line}: ${msg}`);
  }
  let nodes: readonly XmlNode[];
  try {
    nodes = new XMLParser(parserOptions).parse(text) as readonly XmlNode[];
  } catch (error) {
    throw wrong(where, `expected XML, found what is not read: ${(error as Error).message}`);
  }
  const configuration = nodes.find((node) => nameOf(node) === 'configuration');
  if (configuration === undefined) {
    const found = nodes.map(nameOf).filter((name) => /^\w/.test(name));
    throw wrong(
      where,
      `expected <configuration>, found ${found.length === 0 ? 'no element' : `<${found[0]}>`}`,
    );
  }
  return entriesOf(configuration, where);
}

function entriesOf(parent: XmlNode, where: string): readonly Entry[] {
  return childrenOf(parent).flatMap((node): readonly Entry[] => {
    switch (nameOf(node)) {
      case 'property':
        return propertyOf(node);
      case 'include':
        return [includeOf(node, where)];
      // So Hadoop reads it: a list of its own.
      case 'configuration':
        return entriesOf(node, where);
      default:
        return [];
    }
  });
}

/** Nothing for a property without a name or a value, of which Hadoop takes no notice either. */
function propertyOf(node: XmlNode): readonly Property[] {
  const part = (name: string): string | undefined => {
    const child = childrenOf(node).findLast((found) => nameOf(found) === name);
    return child === undefined ? attributeOf(node, name) : textOf(child);
  };
  const name = part('name')?.trim() ?? '';
  const value = part('value');
  return name === '' || value === undefined
    ? []
    : [{ kind: 'property', name, value, isFinal: part('final')?.trim() === 'true' }];
}

function includeOf(node: XmlNode, where: string): Include {
  const href = attributeOf(node, 'href')?.trim() ?? '';
  if (href === '') {
    throw wrong(where, 'expected the href of an include, found none');
  }
  const fallback = childrenOf(node).find((child) => nameOf(child) === 'fallback');
  return {
    kind: 'include',
    href,
    fallback: fallback === undefined ? undefined : entriesOf(fallback, where),
  };
}

function nameOf(node: XmlNode): string {
  return Object.keys(node).find((key) => key !== attributesKey) ?? '';
}

function childrenOf(node: XmlNode): readonly XmlNode[] {
  const children = node[nameOf(node)];
  return Array.isArray(children) ? (children as readonly XmlNode[]) : [];
}

function textOf(node: XmlNode): string {
  return childrenOf(node)
    .map((child) => child[textKey])
    .filter((text) => typeof text === 'string')
    .join('');
}

function attributeOf(node: XmlNode, name: string): string | undefined {
  const attributes = (node[attributesKey] ?? {}) as Readonly<Record<string, string>>;
  return Object.hasOwn(attributes, name) ? attributes[name] : undefined;
}

function wrong(where: string, what: string): ParsError {
  return new ParsError('usage', `${where}: ${what}`);
}
