// Markdown as a type of its own, as markup.ts has HTML. Whatever is put into a template is escaped, unless it is Markdown
// already: names of VMs, paths, kernel releases and the reasons of errors come from outside.
import { visibleText } from '../text/visible-text.js';

export class Markdown {
  constructor(readonly text: string) {}
}

/** What may stand in a template. */
export type Content = Markdown | string | readonly Content[];

export function markdown(strings: TemplateStringsArray, ...values: readonly Content[]): Markdown {
  return new Markdown(
    strings.reduce((text, string, index) => text + textOf(values[index - 1]) + string),
  );
}

/** An id in letters of one width. What could end the span is shown as other text is. */
export function code(text: string): Markdown {
  return new Markdown(/^[\w.:/ -]+$/.test(text) ? `\`${text}\`` : escapeText(text));
}

/** Joined with nothing between, unless told. */
export function join(contents: readonly Content[], separator = ''): Markdown {
  return new Markdown(contents.map(textOf).join(separator));
}

export function textOf(content: Content): string {
  if (content instanceof Markdown) {
    return content.text;
  }
  return typeof content === 'object' ? content.map(textOf).join('') : escapeText(content);
}

/**
 * Text stays text on one line: no emphasis, link, HTML, entity, formula or column of a table. What a web site would make a
 * link by itself loses what it is known by; an @ becomes code, as nothing else keeps it from calling people.
 */
function escapeText(text: string): string {
  return visibleText(text.replace(/[ \t\r\n]+/g, ' '))
    .replace(/[\\`*_[\]<>|#~&!${}]/g, '\\$&')
    .replace(/:(?=\/\/)|(?<=\bwww)\./gi, '\\$&')
    .replace(/@+/g, '`$&`');
}
