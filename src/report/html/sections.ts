// A page's sections: each with a heading and a place in the list of contents.
import { type Content, type Markup, markup } from './markup.js';

export interface Section {
  /** Unlike any other on the page. */
  readonly id: string;
  readonly title: string;
  readonly content: Content;
}

export interface Page {
  readonly title: string;
  /** A sentence below the title. */
  readonly summary: Content;
  readonly sections: readonly Section[];
}

export function sectionMarkup({ id, title, content }: Section): Markup {
  return markup`
<section id="${id}" aria-labelledby="${id}-heading">
<h2 id="${id}-heading">${title}</h2>
${content}
</section>`;
}

export function contentsList(sections: readonly Section[]): Markup {
  return markup`
<nav aria-label="Contents"><ul>${sections.map(
    ({ id, title }) => markup`<li><a href="#${id}">${title}</a></li>`,
  )}</ul></nav>`;
}
