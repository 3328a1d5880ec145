// HTML as a type of its own. Whatever is put into a template is escaped, unless it is markup already: names of VMs, paths
// and kernel releases come from outside.

import { replaceUnseen, visibleJson } from '../../text/visible-text.js';

export class Markup {
  constructor(readonly text: string) {}
}

/** What may stand in a template. Undefined is nothing. */
export type Content = Markup | string | number | undefined | readonly Content[];

export function markup(strings: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return new Markup(
    strings.reduce((text, string, index) => text + textOf(values[index - 1]) + string),
  );
}

function textOf(content: Content): string {
  if (content instanceof Markup) {
    return content.text;
  }
  if (content === undefined) {
    return '';
  }
  return typeof content === 'object' ? content.map(textOf).join('') : escapeText(String(content));
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** For element content and quoted attributes alike. */
function escapeText(text: string): string {
  return withoutControls(text).replace(/[&<>"']/g, (character) => entities[character]);
}

/** Control characters cannot stand in HTML, and what is not seen or turns text round makes a name look like another. */
export function withoutControls(text: string): string {
  return replaceUnseen(text, '\ufffd');
}

/**
 * A value for a script element of JSON. Nothing in it can end the element or begin a comment, and a reader that takes it
 * for JavaScript finds no line end in its strings.
 */
export function embeddedJson(value: unknown): Markup {
  return new Markup(
    visibleJson(value).replace(
      /[<>&]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  );
}
