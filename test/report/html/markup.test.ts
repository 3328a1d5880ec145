// What comes from outside stays text, wherever it is put.
import { embeddedJson, Markup, markup, withoutControls } from '../../../src/report/html/markup.js';

test('what is put into a template is escaped, in text and in attributes', () => {
  const hostile = `<img src=x onerror="a('b')">&amp;`;
  expect(markup`<p title="${hostile}">${hostile}</p>`.text).toBe(
    '<p title="&lt;img src=x onerror=&quot;a(&#39;b&#39;)&quot;&gt;&amp;amp;">' +
      '&lt;img src=x onerror=&quot;a(&#39;b&#39;)&quot;&gt;&amp;amp;</p>',
  );
});

test('markup, lists of it, numbers and nothing stand as they are', () => {
  const parts = [markup`<b>${1}</b>`, '<', undefined, [new Markup('<i></i>')]];
  expect(markup`${parts}`.text).toBe('<b>1</b>&lt;<i></i>');
});

test('control characters and those that turn text round are shown as what they are not', () => {
  expect(withoutControls('a\u0000b\u202ec\u2066d\u0085e')).toBe('a\ufffdb\ufffdc\ufffdd\ufffde');
  expect(withoutControls('two\nlines\tä')).toBe('two\nlines\tä');
  expect(markup`${'\u202egnp.exe'}`.text).toBe('\ufffdgnp.exe');
});

test('data for a script element cannot end it, and reads back as it was', () => {
  const value = { name: '</script><!--<script>&\u2028\u2029"\\' };
  const { text } = embeddedJson(value);
  expect(text).not.toMatch(/[<>&\u2028\u2029]/);
  expect(JSON.parse(text)).toEqual(value);
});
