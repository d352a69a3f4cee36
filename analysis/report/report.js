'use strict';

const report = JSON.parse(document.getElementById('data').textContent);
const hidden = new Set(); // labels of protocols that are switched off
const byId = (id) => document.getElementById(id);

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/* Light and dark ------------------------------------------------------------------------------------------ */

const darkMedia = matchMedia('(prefers-color-scheme: dark)');
const isDark = () => (document.documentElement.dataset.theme ?? (darkMedia.matches ? 'dark' : 'light')) === 'dark';

byId('theme').addEventListener('click', () => {
  document.documentElement.dataset.theme = isDark() ? 'light' : 'dark';
});

// A build without Vega makes a page without pictures; the data can be saved all the same.
document.body.classList.toggle('without-pictures', typeof vega === 'undefined');

/* Figures ------------------------------------------------------------------------------------------------- */

/** The specification without the rows of protocols that are switched off. */
function filtered(value) {
  if (Array.isArray(value)) return value.map(filtered);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => {
    const rows = key === 'values' && Array.isArray(inner);
    return [key, rows ? inner.filter((row) => !hidden.has(row?.series)) : filtered(inner)];
  }));
}

/** The rows of a specification's data as CSV. */
function csvOf(rows) {
  const names = [...new Set(rows.flatMap(Object.keys))];
  const cell = (value) => {
    const text = value === null || value === undefined ? '' : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [names, ...rows.map((row) => names.map((name) => row[name]))];
  return lines.map((line) => line.map(cell).join(',')).join('\n') + '\n';
}

const tooltip = byId('tooltip');
const exists = (value) => value !== null && value !== undefined && value !== 'NaN' && value !== 'null'; // as formatted
function showTooltip(handler, event, item, value) {
  tooltip.hidden = value === null || value === undefined || value === '';
  if (tooltip.hidden) return;
  const shown = (text) => (typeof text === 'object' && text !== null ? JSON.stringify(text) : String(text));
  tooltip.replaceChildren(
    typeof value === 'object' && !Array.isArray(value)
      ? element('table', {}, ...Object.entries(value).filter(([, inner]) => exists(inner)).map(([key, inner]) =>
          element('tr', {}, element('th', { textContent: key }), element('td', { textContent: shown(inner) }))))
      : shown(value),
  );
  const { offsetWidth: width, offsetHeight: height } = tooltip;
  const space = 14;
  const left = event.clientX + space + width > innerWidth ? event.clientX - space - width : event.clientX + space;
  const top = event.clientY + space + height > innerHeight ? event.clientY - space - height : event.clientY + space;
  tooltip.style.left = `${Math.max(4, left)}px`;
  tooltip.style.top = `${Math.max(4, top)}px`;
}

const offline = vega => {
  const loader = vega.loader();
  loader.load = async (uri) => { throw new Error(`not in this page: ${uri}`); };
  return loader;
};

function makeView(spec, options) {
  const logger = vega.logger(vega.Error);
  const compiled = vegaLite.compile(spec, { logger }).spec;
  return new vega.View(vega.parse(compiled), { loader: offline(vega), logger, ...options });
}

const between = (low, value, high) => Math.min(high, Math.max(low, value));

/** The field of names that stand up the side, of which each needs its height; undefined where numbers do. */
function namesUpward(spec) {
  const y = spec.encoding?.y;
  if (['nominal', 'ordinal'].includes(y?.type)) return y.field;
  return (spec.layer ?? []).map(namesUpward).find((field) => field !== undefined);
}

function heightFor(spec, width, least, most) {
  if (typeof spec.height !== 'number') return spec.height;
  return namesUpward(spec) !== undefined ? 1.2 * spec.height
    : between(least, (width * spec.height) / spec.width, most);
}

/** Room that the axis on the left takes: its title, and the longest of its labels. */
function axisWidth(panel, rows) {
  const field = namesUpward(panel);
  if (field === undefined) return 62;
  const longest = Math.max(...rows.map((row) => String(row[field] ?? '').length));
  return 34 + Math.min(180, 6.2 * longest);
}

/** The specification with legends of at most so many columns. */
function withLegendColumns(value, most) {
  if (Array.isArray(value)) return value.map((inner) => withLegendColumns(inner, most));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => {
    if (key === 'data') return [key, inner];
    if (key === 'legend' && inner?.columns > most) return [key, { ...inner, columns: most }];
    return [key, withLegendColumns(inner, most)];
  }));
}

/** Sizes for this box: single views fill its width; small multiples have as many columns as there is room for. */
function fitted(original, box) {
  const room = Math.floor(box.clientWidth);
  const spec = withLegendColumns(original, Math.max(1, Math.floor(room / 130)));
  if (typeof spec.width === 'number' && ('mark' in spec || 'layer' in spec)) {
    const height = heightFor(spec, room, 200, 340);
    return { ...spec, width: Math.max(240, room), height, autosize: { type: 'fit-x', contains: 'padding' } };
  }
  if ('vconcat' in spec) {
    const widest = room - axisWidth(spec.vconcat[0], spec.data.values);
    return { ...spec, vconcat: spec.vconcat.map((view) => ({ ...view, width: Math.max(120, widest) })) };
  }
  const panel = spec.spec;
  if (!('facet' in spec) || typeof panel?.width !== 'number') return spec;
  const axis = axisWidth(panel, spec.data.values);
  const gap = 18;
  const columns = between(1, Math.floor((room - axis) / 145), spec.columns ?? 4);
  const width = between(130, Math.floor((room - axis) / columns) - gap, 760);
  return { ...spec, columns, spacing: gap, spec: { ...panel, width, height: heightFor(panel, width, 120, 230) } };
}

class Figure {
  constructor(node, entry) {
    this.node = node;
    this.entry = entry;
    this.box = node.querySelector('.canvas');
    this.drawn = undefined; // what was drawn: width and protocols
    node.querySelector('[data-save="svg"]')?.addEventListener('click', () => this.saveSvg());
    node.querySelector('[data-save="spec"]')?.addEventListener('click', () =>
      save(`${entry.name}.vl.json`, JSON.stringify(entry.spec, null, 2), 'application/json'));
    node.querySelector('[data-save="data"]')?.addEventListener('click', () =>
      save(`${entry.name}.csv`, csvOf(entry.spec.data.values), 'text/csv'));
  }

  draw() {
    const state = `${this.box.clientWidth} ${[...hidden].sort()}`;
    if (state === this.drawn || typeof vega === 'undefined') return;
    this.drawn = state;
    try {
      this.view?.finalize();
      const spec = {
        ...fitted(hidden.size > 0 ? filtered(this.entry.spec) : this.entry.spec, this.box),
        config: report.config, // its colours are CSS variables: light, dark and print need no new drawing
      };
      this.view = makeView(spec, { renderer: 'svg', container: this.box, hover: true, tooltip: showTooltip });
      this.view.run();
    } catch (error) {
      this.box.textContent = `This figure could not be drawn: ${error.message}`;
      this.box.classList.add('failed');
      console.error(`${this.entry.name}: ${error.message}`);
    }
  }

  async saveSvg() {
    const view = makeView(this.entry.spec, { renderer: 'none' });
    save(`${this.entry.name}.svg`, await view.toSVG(), 'image/svg+xml');
    view.finalize();
  }
}

function save(name, text, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  element('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

const figures = new Map();
for (const entry of report.figures) {
  const node = byId(`figure-${entry.name}`);
  figures.set(node, new Figure(node, entry));
}

// Drawn when they come near the screen: a large study opens at once.
const visible = new Set();
const watcher = new IntersectionObserver((changes) => {
  for (const { target, isIntersecting } of changes) {
    if (!isIntersecting) {
      visible.delete(target);
    } else {
      visible.add(target);
      figures.get(target).draw();
    }
  }
}, { rootMargin: '300px 0px' });
for (const node of figures.keys()) watcher.observe(node);

const drawVisible = () => visible.forEach((node) => figures.get(node).draw());
const drawAll = () => figures.forEach((figure) => figure.draw());
let resizing;
addEventListener('resize', () => {
  clearTimeout(resizing);
  resizing = setTimeout(drawVisible, 120);
});
addEventListener('beforeprint', drawAll);

/* Protocols ----------------------------------------------------------------------------------------------- */

const toggles = document.querySelector('.toggles');
for (const { label, colour } of report.protocols) {
  const button = element('button', { type: 'button' }, element('i'), label);
  button.style.setProperty('--colour', colour);
  button.setAttribute('aria-pressed', 'true');
  button.addEventListener('click', () => {
    if (!hidden.delete(label)) hidden.add(label);
    button.setAttribute('aria-pressed', String(!hidden.has(label)));
    drawVisible();
    fillTable();
  });
  toggles.append(button);
}
toggles.hidden = report.protocols.length < 2;

/* Table of runs ------------------------------------------------------------------------------------------- */

const table = byId('run-table');
const { columns, rows } = report.runs;
const colours = new Map(report.protocols.map(({ label, colour }) => [label, colour]));
const sorting = { column: 0, descending: false };

const prefixes = {
  decimal: [[1e15, 'P'], [1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k'], [1, '']],
  binary: [[2 ** 40, 'Ti'], [2 ** 30, 'Gi'], [2 ** 20, 'Mi'], [2 ** 10, 'Ki'], [1, '']],
  small: [[1, ''], [1e-3, 'm'], [1e-6, 'µ'], [1e-9, 'n']],
};
const digits = (value) => (Math.abs(value) >= 999.5 ? value.toFixed(0) : String(Number(value.toPrecision(3))));

function withPrefix(value, list, unit) {
  const [factor, prefix] = list.find(([least]) => Math.abs(value) >= 0.9995 * least) ?? list.at(-1);
  return value === 0 ? `0 ${unit}` : `${digits(value / factor)} ${prefix}${unit}`;
}

const formats = {
  text: String,
  seconds: (value) => withPrefix(value, prefixes.small, 's'),
  bytes: (value) => withPrefix(value, prefixes.decimal, 'B'),
  memory: (value) => withPrefix(value, prefixes.binary, 'B'),
  joules: (value) => withPrefix(value, prefixes.decimal, 'J'),
  fraction: (value) => `${(100 * value).toFixed(2)} %`,
  count: (value) => (Number.isInteger(value) ? String(value) : digits(value)),
};

/** A cell is a value, or [what to sort by, what to show]. */
const sortKey = (cell) => (Array.isArray(cell) ? cell[0] : cell);
function cellText(cell, column) {
  if (Array.isArray(cell)) return cell[1];
  return cell === null ? '–' : formats[typeof cell === 'string' ? 'text' : column.format](cell);
}

function compare(a, b) {
  if (a === b) return 0;
  if (a === null) return 1; // what does not exist comes last, whichever the direction
  if (b === null) return -1;
  const order = typeof a === 'number' && typeof b === 'number' ? a - b
    : String(a).localeCompare(String(b), 'en', { numeric: true });
  return sorting.descending ? -order : order;
}

const searchText = rows.map((row) =>
  row.cells.map((cell, i) => cellText(cell, columns[i])).join(' ').toLowerCase());

function makeRow(row) {
  const line = element('tr', { className: row.problem ? 'problem' : '' });
  row.cells.forEach((cell, i) => {
    const column = columns[i];
    const text = cellText(cell, column);
    const td = element('td', { className: column.numeric ? 'number' : column.key });
    if (column.key === 'protocol') {
      const swatch = element('i', { className: 'swatch' });
      swatch.style.setProperty('--colour', colours.get(text) ?? 'var(--faint)');
      td.append(swatch);
    }
    if (column.key === 'trace' && cell !== null) {
      td.append(element('a', { href: sortKey(cell), textContent: 'trace', title: 'Open in ui.perfetto.dev' }));
    } else if (column.key === 'id') {
      td.append(element('a', { href: row.folder, textContent: text, title: row.message ?? '' }));
    } else {
      td.append(text);
      if (text === '–') td.classList.add('none');
    }
    line.append(td);
  });
  return line;
}

function fillTable() {
  const words = byId('filter').value.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = rows
    .map((row, i) => ({ row, i }))
    .filter(({ row, i }) => !hidden.has(row.protocol) && words.every((word) => searchText[i].includes(word)));
  shown.sort((a, b) =>
    compare(sortKey(a.row.cells[sorting.column]), sortKey(b.row.cells[sorting.column])) || a.i - b.i);
  table.tBodies[0].replaceChildren(...shown.map(({ row }) => makeRow(row)));
  byId('count').textContent = shown.length === rows.length ? `${rows.length} runs` : `${shown.length} of ${rows.length} runs`;
}

const headRow = element('tr');
columns.forEach((column, i) => {
  const button = element('button', { type: 'button', textContent: column.label, title: column.title });
  const th = element('th', { className: column.numeric ? 'number' : '', scope: 'col' }, button);
  if (i === sorting.column) th.setAttribute('aria-sort', 'ascending');
  button.addEventListener('click', () => {
    sorting.descending = sorting.column === i ? !sorting.descending : false;
    sorting.column = i;
    for (const other of headRow.cells) other.removeAttribute('aria-sort');
    th.setAttribute('aria-sort', sorting.descending ? 'descending' : 'ascending');
    fillTable();
  });
  headRow.append(th);
});
table.tHead.append(headRow);
byId('filter').addEventListener('input', fillTable);
fillTable();
