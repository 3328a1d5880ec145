// @ts-check
// Draws the page's maps of memory and lets the reader zoom them. Runs in the browser, without network: the labels stand
// in the page as runs (label-runs.ts). A cell is one frame, or as many as the page says; rows of cells are a power of two
// of frames long and lie below each other, so that zooming never breaks lines anew.
//
// Several cells of one screen pixel show the label that most of them have, in a tie the critical one.

/** @typedef {{ number: number, label: string, expendable: boolean, fill: string, ink: string, texture: string }} Label */
/** @typedef {{ firstPfn: number, pageCount: number }} Span */
/** @typedef {{ pagesPerCell: number, spans: Span[], runs: string, labels: Label[] }} MapData */
/** @typedef {{ firstCell: number, hole: number }} Row `hole`: cells missing before it. */
/** @typedef {{ column: number, row: number }} Place */

/** In a cell: frames that the image does not hold. */
const noLabel = 255;
/** Screen pixels, as for everything but the image itself. */
const largestCell = 32;
const lowestMap = 120;
const highestMap = 520;
const tickDistance = 32;
/** From here on, cells have a gap between them. */
const gapFrom = 8;

/** @param {string} text @returns {Promise<Uint8Array>} */
async function inflate(text) {
  const packed = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** @param {Uint8Array} runs @param {number} cellCount */
function cellsOf(runs, cellCount) {
  const cells = new Uint8Array(cellCount);
  let at = 0;
  for (let next = 0; next < runs.length;) {
    const label = runs[next++];
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = runs[next++];
      length += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        break;
      }
    }
    cells.fill(label, at, at + length);
    at += length;
  }
  return cells;
}

/** Cells by their place among rows and columns. */
class Grid {
  /** @param {MapData} data @param {Uint8Array} cells */
  constructor({ pagesPerCell, spans, labels }, cells) {
    this.pagesPerCell = pagesPerCell;
    this.labels = labels;
    const wanted = 2 ** Math.round(Math.log2(Math.sqrt(2 * Math.max(cells.length, 1))));
    this.columnCount = Math.min(Math.max(wanted, 32), 8192);
    /** @type {Row[]} */
    this.rows = [];
    const ranges = [];
    let cellIndex = 0;
    for (const { firstPfn, pageCount } of spans) {
      const first = firstPfn / pagesPerCell;
      const count = pageCount / pagesPerCell;
      ranges.push({ first, count, cellIndex });
      cellIndex += count;
      const lastRow = this.rows.at(-1);
      let row = Math.floor(first / this.columnCount) * this.columnCount;
      if (lastRow !== undefined) {
        row = Math.max(row, lastRow.firstCell + this.columnCount);
      }
      for (; row < first + count; row += this.columnCount) {
        const before = this.rows.at(-1);
        const hole = before === undefined ? 0 : row - before.firstCell - this.columnCount;
        this.rows.push({ firstCell: row, hole });
      }
    }
    this.cells = new Uint8Array(this.rows.length * this.columnCount).fill(noLabel);
    let rowIndex = 0;
    for (const { first, count, cellIndex: start } of ranges) {
      for (let done = 0; done < count;) {
        while (this.rows[rowIndex].firstCell + this.columnCount <= first + done) {
          rowIndex++;
        }
        const column = first + done - this.rows[rowIndex].firstCell;
        const length = Math.min(count - done, this.columnCount - column);
        this.cells.set(
          cells.subarray(start + done, start + done + length),
          rowIndex * this.columnCount + column,
        );
        done += length;
      }
    }
  }

  /** @param {Place} place The first frame of the cell. */
  pfnAt({ column, row }) {
    return (this.rows[row].firstCell + column) * this.pagesPerCell;
  }

  /** How many cells of that block have which label. @param {Place} place @param {number} width @param {number} height */
  countsAt({ column, row }, width, height) {
    const counts = new Uint32Array(256);
    for (let y = row; y < Math.min(row + height, this.rows.length); y++) {
      const start = y * this.columnCount;
      const end = start + Math.min(column + width, this.columnCount);
      for (let index = start + column; index < end; index++) {
        counts[this.cells[index]]++;
      }
    }
    return counts;
  }
}

/** @param {string} colour `#rrggbb` @returns {number} as a pixel's four bytes, the lowest first. */
function pixelOf(colour) {
  const value = parseInt(colour.slice(1), 16);
  const bytes = new Uint8Array([value >> 16, (value >> 8) & 255, value & 255, 255]);
  return new Uint32Array(bytes.buffer)[0];
}

class MemoryMap {
  /** @param {HTMLElement} figure @param {Grid} grid */
  constructor(figure, grid) {
    /** @template {Element} E @param {string} selector @param {new () => E} kind @returns {E} */
    const find = (selector, kind) => {
      const element = figure.querySelector(selector);
      if (!(element instanceof kind)) {
        throw new Error(`expected ${selector} in the map, found none`);
      }
      return element;
    };
    this.grid = grid;
    this.view = find('.map-view', HTMLElement);
    this.canvas = find('canvas', HTMLCanvasElement);
    this.axis = find('.map-axis', HTMLElement);
    this.readout = find('.map-readout', HTMLElement);
    this.status = find('[role=status]', HTMLElement);
    this.zoomWords = find('.map-zoom', HTMLElement);
    this.body = find('.map-body', HTMLElement);
    this.fallback = find('.map-fallback', HTMLElement);
    this.tools = figure.querySelectorAll('[data-map]');
    this.marks = document.createElement('div');
    this.view.append(this.marks);
    this.fills = new Uint32Array(256);
    this.inks = new Uint32Array(256);
    /** @type {string[]} */
    this.textures = new Array(256).fill('plain');
    this.byNumber = new Map(grid.labels.map((label) => [label.number, label]));
    for (const { number, fill, ink, texture } of grid.labels) {
      this.fills[number] = pixelOf(fill);
      this.inks[number] = pixelOf(ink);
      this.textures[number] = texture;
    }
    this.width = 0;
    this.height = 0;
    /** Screen pixels per cell. */
    this.scale = 0;
    /** The cell in the upper left corner: its column in `left`, its row in `top`. */
    this.left = 0;
    this.top = 0;
    /** @type {Place} */
    this.cursor = { column: 0, row: 0 };
    /** That the screen's next frame is drawn. */
    this.isAwaited = false;
  }

  start() {
    this.fallback.hidden = true;
    this.body.hidden = false;
    new ResizeObserver(() => this.fit()).observe(this.view);
    for (const tool of this.tools) {
      tool.addEventListener('click', () => {
        this.command(tool.getAttribute('data-map') ?? '');
        this.tell();
      });
    }
    this.view.addEventListener('keydown', (event) => this.onKey(event));
    this.view.addEventListener('focus', () => {
      this.draw();
      this.tell();
    });
    this.view.addEventListener('blur', () => this.draw());
    this.view.addEventListener('wheel', (event) => this.onWheel(event), { passive: false });
    this.listenToPointer();
    this.fit();
  }

  /** The scale at which everything is in the window. */
  get wholeScale() {
    return Math.min(
      this.width / this.grid.columnCount,
      Math.max(this.height, 1) / this.grid.rows.length,
    );
  }

  fit() {
    const width = this.view.clientWidth;
    if (width === 0 || width === this.width) {
      return;
    }
    const wasWhole = this.scale === 0 || this.scale <= this.wholeScale * 1.001;
    const { columnCount, rows } = this.grid;
    this.width = width;
    const wanted = Math.round((width * rows.length) / columnCount);
    this.height = Math.min(Math.max(wanted, lowestMap), highestMap);
    this.view.style.height = `${this.height}px`;
    if (wasWhole) {
      this.showAll();
    } else {
      this.place(this.left, this.top, this.scale);
    }
  }

  showAll() {
    this.place(0, 0, this.wholeScale);
    if (this.cursor.column === 0 && this.cursor.row === 0) {
      this.cursor = {
        column: Math.floor(this.grid.columnCount / 2),
        row: Math.floor(this.grid.rows.length / 2),
      };
    }
  }

  /** @param {number} left @param {number} top @param {number} scale */
  place(left, top, scale) {
    const { columnCount, rows } = this.grid;
    this.scale = Math.min(Math.max(scale, this.wholeScale), Math.max(largestCell, this.wholeScale));
    this.left = Math.min(Math.max(left, 0), Math.max(0, columnCount - this.width / this.scale));
    this.top = Math.min(Math.max(top, 0), Math.max(0, rows.length - this.height / this.scale));
    this.draw();
  }

  /** What lies at that point of the window stays there. @param {number} factor @param {number} x @param {number} y */
  zoom(factor, x, y) {
    const scale = Math.min(
      Math.max(this.scale * factor, this.wholeScale),
      Math.max(largestCell, this.wholeScale),
    );
    this.place(
      this.left + x / this.scale - x / scale,
      this.top + y / this.scale - y / scale,
      scale,
    );
  }

  /** @param {string} name */
  command(name) {
    const x = (this.cursor.column + 0.5 - this.left) * this.scale;
    const y = (this.cursor.row + 0.5 - this.top) * this.scale;
    if (name === 'all') {
      this.showAll();
    } else {
      this.zoom(name === 'in' ? 2 : 0.5, x, y);
    }
    this.followCursor();
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    const step = this.blockSize * (event.shiftKey ? 10 : 1);
    switch (event.key) {
      case '+':
      case '=':
        this.command('in');
        break;
      case '-':
        this.command('out');
        break;
      case 'Home':
        this.command('all');
        break;
      case 'ArrowLeft':
        this.moveCursor(-step, 0);
        break;
      case 'ArrowRight':
        this.moveCursor(step, 0);
        break;
      case 'ArrowUp':
        this.moveCursor(0, -step);
        break;
      case 'ArrowDown':
        this.moveCursor(0, step);
        break;
      default:
        return;
    }
    event.preventDefault();
    this.tell();
  }

  /** Cells to a side of what the cursor and the pointer stand for: what can be seen. */
  get blockSize() {
    return this.scale >= 4 ? 1 : Math.round(8 / this.scale);
  }

  /** @param {number} columns @param {number} rows */
  moveCursor(columns, rows) {
    const clamp = (/** @type {number} */ value, /** @type {number} */ count) =>
      Math.min(Math.max(value, 0), count - 1);
    this.cursor = {
      column: clamp(this.cursor.column + columns, this.grid.columnCount),
      row: clamp(this.cursor.row + rows, this.grid.rows.length),
    };
    this.followCursor();
  }

  followCursor() {
    const size = this.blockSize;
    const { column, row } = this.cursor;
    const left = Math.min(Math.max(this.left, column + size - this.width / this.scale), column);
    const top = Math.min(Math.max(this.top, row + size - this.height / this.scale), row);
    this.place(left, top, this.scale);
  }

  /** Only once it is chosen: a page that stops scrolling under the pointer is a trap. @param {WheelEvent} event */
  onWheel(event) {
    if (document.activeElement !== this.view && !event.ctrlKey) {
      return;
    }
    event.preventDefault();
    const { x, y } = this.pointOf(event);
    this.zoom(2 ** (-event.deltaY / (event.deltaMode === 0 ? 200 : 6)), x, y);
    this.readAt(this.placeAt(x, y));
  }

  listenToPointer() {
    /** @type {{ x: number, y: number } | undefined} */
    let held;
    this.view.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) {
        return;
      }
      held = this.pointOf(event);
      const place = this.placeAt(held.x, held.y);
      if (place !== undefined) {
        this.cursor = place;
      }
      this.view.focus({ preventScroll: true });
      this.draw();
      this.readAt(place);
      if (event.pointerType !== 'touch' || this.scale > this.wholeScale * 1.001) {
        this.view.setPointerCapture(event.pointerId);
      }
    });
    this.view.addEventListener('pointermove', (event) => {
      const point = this.pointOf(event);
      if (held !== undefined) {
        this.place(
          this.left - (point.x - held.x) / this.scale,
          this.top - (point.y - held.y) / this.scale,
          this.scale,
        );
        held = point;
      }
      this.readAt(this.placeAt(point.x, point.y));
    });
    for (const end of ['pointerup', 'pointercancel', 'lostpointercapture']) {
      this.view.addEventListener(end, () => {
        held = undefined;
      });
    }
    this.view.addEventListener('dblclick', (event) => {
      const { x, y } = this.pointOf(event);
      this.zoom(2, x, y);
    });
  }

  /** @param {MouseEvent} event */
  pointOf(event) {
    const box = this.view.getBoundingClientRect();
    return {
      x: event.clientX - box.left - this.view.clientLeft,
      y: event.clientY - box.top - this.view.clientTop,
    };
  }

  /** @param {number} x @param {number} y @returns {Place | undefined} */
  placeAt(x, y) {
    const column = Math.floor(this.left + x / this.scale);
    const row = Math.floor(this.top + y / this.scale);
    const { columnCount, rows } = this.grid;
    return column >= 0 && column < columnCount && row >= 0 && row < rows.length
      ? { column, row }
      : undefined;
  }

  /** @param {Place | undefined} place */
  readAt(place) {
    if (place !== undefined) {
      this.readout.textContent = this.describe(place);
    }
  }

  /** For who uses the keyboard, seen or heard. */
  tell() {
    this.readAt(this.cursor);
    this.status.textContent = `${this.readout.textContent}. ${this.zoomWords.textContent}`;
  }

  /** @param {Place} place */
  describe(place) {
    const hex = (/** @type {number} */ value) => `0x${value.toString(16)}`;
    const pfn = this.grid.pfnAt(place);
    const size = this.blockSize;
    const { pagesPerCell } = this.grid;
    if (size === 1) {
      const number = this.grid.cells[place.row * this.grid.columnCount + place.column];
      const label = this.byNumber.get(number);
      const words =
        label === undefined
          ? 'not in the image'
          : `${label.label} (${label.expendable ? 'expendable' : 'critical'})`;
      return pagesPerCell === 1
        ? `Frame ${hex(pfn)}, address ${hex(pfn * 4096)}: ${words}`
        : `${pagesPerCell} frames from ${hex(pfn)}: mostly ${words}`;
    }
    const counts = this.grid.countsAt(place, size, size);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const shares = [...counts.entries()]
      .filter(([, count]) => count > 0)
      .sort(([, a], [, b]) => b - a)
      .slice(0, 3)
      .map(([number, count]) => {
        const name = this.byNumber.get(number)?.label ?? 'not in the image';
        return `${name} ${((count / total) * 100).toFixed(0)}\u00a0%`;
      });
    return `${size} × ${size} cells at frame ${hex(pfn)}: ${shares.join(', ')}`;
  }

  /** At once in words; on the screen once for each of its frames, however often it is asked for. */
  draw() {
    const zoom = (this.scale / this.wholeScale).toFixed(1).replace('.0', '');
    this.zoomWords.textContent = `Zoom ${zoom} ×`;
    this.view.classList.toggle('zoomed', this.scale > this.wholeScale * 1.001);
    if (this.isAwaited) {
      return;
    }
    this.isAwaited = true;
    requestAnimationFrame(() => {
      this.isAwaited = false;
      this.drawCells();
      this.drawMarks();
    });
  }

  drawCells() {
    const ratio = Math.min(window.devicePixelRatio, 2);
    const width = Math.max(1, Math.round(this.width * ratio));
    const height = Math.max(1, Math.round(this.height * ratio));
    this.canvas.width = width;
    this.canvas.height = height;
    const context = this.canvas.getContext('2d');
    if (context === null) {
      throw new Error('the browser gives no canvas to draw on');
    }
    const image = context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    const { columnCount, rows, cells } = this.grid;
    const perPixel = 1 / (this.scale * ratio);
    const columns = edges(this.left, perPixel, width, columnCount);
    const lines = edges(this.top, perPixel, height, rows.length);
    const hasGaps = this.scale >= gapFrom;
    for (let y = 0; y < height; y++) {
      const [row, endRow] = [lines.starts[y], lines.ends[y]];
      if (row === endRow || (hasGaps && y > 0 && lines.starts[y - 1] !== row)) {
        continue;
      }
      for (let x = 0; x < width; x++) {
        const [column, endColumn] = [columns.starts[x], columns.ends[x]];
        if (column === endColumn || (hasGaps && x > 0 && columns.starts[x - 1] !== column)) {
          continue;
        }
        const isOne = endColumn - column === 1 && endRow - row === 1;
        const number = isOne
          ? cells[row * columnCount + column]
          : this.mostFrequent(column, endColumn, row, endRow);
        if (number === noLabel) {
          continue;
        }
        const texture = this.textures[number];
        const isInk =
          texture === 'hatch' ? (x + y) % 6 < 2 : texture === 'dots' && x % 4 < 2 && y % 4 < 2;
        pixels[y * width + x] = isInk ? this.inks[number] : this.fills[number];
      }
    }
    context.putImageData(image, 0, 0);
  }

  /** @param {number} column @param {number} endColumn @param {number} row @param {number} endRow */
  mostFrequent(column, endColumn, row, endRow) {
    const counts = this.counts;
    counts.fill(0);
    for (let y = row; y < endRow; y++) {
      const start = y * this.grid.columnCount;
      for (let index = start + column; index < start + endColumn; index++) {
        counts[this.grid.cells[index]]++;
      }
    }
    let best = noLabel;
    let most = 0;
    let isBestExpendable = false;
    for (const { number, expendable } of this.grid.labels) {
      const count = counts[number];
      const isMore = count > most || (count === most && isBestExpendable && !expendable);
      if (isMore && count > 0) {
        best = number;
        most = count;
        isBestExpendable = expendable;
      }
    }
    return best;
  }

  counts = new Uint32Array(256);

  /** Frame numbers beside the map; on it the cursor, and where memory has a hole. In percent: paper has another width. */
  drawMarks() {
    const { rows, pagesPerCell, columnCount } = this.grid;
    const percent = (/** @type {number} */ part, /** @type {number} */ whole) =>
      `${((part / whole) * 100).toFixed(3)}%`;
    const ticks = [];
    const every = Math.max(1, Math.ceil(tickDistance / this.scale));
    const end = Math.min(rows.length, Math.ceil(this.top + this.height / this.scale));
    // None that the lower edge would cut.
    const lastTick = this.top + (this.height - tickDistance / 3) / this.scale;
    for (let row = Math.ceil(this.top / every) * every; row < end && row < lastTick; row += every) {
      const tick = document.createElement('span');
      tick.textContent = `0x${(rows[row].firstCell * pagesPerCell).toString(16)}`;
      tick.style.top = percent((row - this.top) * this.scale, this.height);
      ticks.push(tick);
    }
    this.axis.replaceChildren(...ticks);
    const marks = [];
    for (let row = Math.floor(this.top); row < end; row++) {
      if (rows[row].hole === 0) {
        continue;
      }
      const mark = document.createElement('div');
      mark.className = 'map-hole';
      const words = document.createElement('span');
      words.textContent = `${sizeInWords(rows[row].hole * pagesPerCell * 4096)} not in the image`;
      mark.append(words);
      mark.style.top = percent((row - this.top) * this.scale, this.height);
      marks.push(mark);
    }
    if (document.activeElement === this.view) {
      const size = this.blockSize;
      const mark = document.createElement('div');
      mark.className = 'map-cursor';
      mark.style.left = percent((this.cursor.column - this.left) * this.scale, this.width);
      mark.style.top = percent((this.cursor.row - this.top) * this.scale, this.height);
      mark.style.width = percent(
        Math.min(size, columnCount - this.cursor.column) * this.scale,
        this.width,
      );
      mark.style.height = percent(
        Math.min(size, rows.length - this.cursor.row) * this.scale,
        this.height,
      );
      marks.push(mark);
    }
    this.marks.replaceChildren(...marks);
  }
}

/** Which cells each pixel shows: from `starts` to before `ends`. @param {number} from @param {number} perPixel @param {number} pixelCount @param {number} cellCount */
function edges(from, perPixel, pixelCount, cellCount) {
  const starts = new Uint32Array(pixelCount);
  const ends = new Uint32Array(pixelCount);
  for (let pixel = 0; pixel < pixelCount; pixel++) {
    // What rounding leaves of a whole scale is no cell more.
    const start = Math.floor(from + pixel * perPixel + 1e-9);
    const end = Math.max(start + 1, Math.floor(from + (pixel + 1) * perPixel + 1e-9));
    starts[pixel] = Math.min(start, cellCount);
    ends[pixel] = Math.min(end, cellCount);
  }
  return { starts, ends };
}

/** @param {number} sizeBytes */
function sizeInWords(sizeBytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  const unit = Math.min(Math.floor(Math.log2(sizeBytes) / 10), units.length - 1);
  return `${Number((sizeBytes / 1024 ** unit).toFixed(1))}\u00a0${units[unit]}`;
}

for (const figure of document.querySelectorAll('.memory-map')) {
  const script = figure.querySelector('script');
  if (!(figure instanceof HTMLElement) || script === null) {
    continue;
  }
  /** @type {MapData} */
  const data = JSON.parse(script.textContent ?? '');
  const cellCount = data.spans.reduce((sum, span) => sum + span.pageCount / data.pagesPerCell, 0);
  // A browser that cannot inflate keeps what stands there for it.
  if (typeof DecompressionStream === 'undefined') {
    continue;
  }
  void inflate(data.runs).then((runs) => {
    new MemoryMap(figure, new Grid(data, cellsOf(runs, cellCount))).start();
  });
}
