// Renders what its parent sends, and ends. See rendered.ts.
import { renderHtml } from '../../../src/report/html/render-html.js';
import type { RenderInput } from './rendered.js';

process.once('message', (inputs: readonly RenderInput[]) => {
  const texts = Promise.all(inputs.map(({ report, maps }) => renderHtml(report, { maps })));
  void texts.then((all) => {
    process.send?.(all, () => {
      process.disconnect();
    });
  });
});
