// Opens a page in headless Chromium, with no network, and tries what a reader would:
//   node browser.mjs VEGA_FOLDER PAGE.html [SCREENSHOT_FOLDER]
// Prints what it measured as JSON; every problem is a line on stderr (exit code 1).

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [vegaFolder, page, screenshots] = process.argv.slice(2);
const CDP = createRequire(join(resolve(vegaFolder), 'package.json'))('chrome-remote-interface');
const problems = [];
const measured = {};

const profile = mkdtempSync(join(tmpdir(), 'isthmus-browser-'));
const browser = spawn('chromium', [
  '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync', '--hide-scrollbars',
  '--disable-renderer-backgrounding', '--disable-background-timer-throttling', '--disable-backgrounding-occluded-windows',
  '--font-render-hinting=none', '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank',
], { stdio: ['ignore', 'ignore', 'pipe'] });

const port = await new Promise((found, failed) => {
  let text = '';
  browser.stderr.on('data', (chunk) => {
    text += chunk;
    const match = text.match(/DevTools listening on ws:\/\/[^:]+:(\d+)/);
    if (match) found(Number(match[1]));
  });
  browser.on('exit', () => failed(new Error(`Chromium did not start: ${text}`)));
});

function check(condition, message) {
  if (!condition) problems.push(message);
}

try {
  const client = await CDP({ port });
  const { Page, Runtime, Network, Log, Emulation, Input } = client;
  const complaints = [];
  Runtime.consoleAPICalled(({ type, args }) => {
    if (type === 'error' || type === 'warning') complaints.push(args.map((each) => each.value ?? each.description).join(' '));
  });
  Runtime.exceptionThrown(({ exceptionDetails: e }) => complaints.push(e.exception?.description ?? e.text));
  Log.entryAdded(({ entry }) => {
    if (entry.level !== 'verbose' && entry.level !== 'info') complaints.push(`${entry.text} ${entry.url ?? ''}`);
  });
  const requests = [];
  Network.requestWillBeSent(({ request }) => {
    if (!request.url.startsWith('data:') && !request.url.startsWith('blob:')) requests.push(request.url);
  });
  await Promise.all([Page.enable(), Runtime.enable(), Network.enable(), Log.enable()]);
  await Network.emulateNetworkConditions({ offline: true, latency: 0, downloadThroughput: 0, uploadThroughput: 0 });

  const evaluate = async (expression) => {
    const { result, exceptionDetails } = await Runtime.evaluate({ expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  const settle = () => evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done, 250)))');
  const size = (width, height, mobile = false) =>
    Emulation.setDeviceMetricsOverride({ width, height, deviceScaleFactor: mobile ? 2 : 1, mobile });
  const scheme = (value) => Emulation.setEmulatedMedia({ features: [{ name: 'prefers-color-scheme', value }] });
  const click = (selector, index = 0) => evaluate(`document.querySelectorAll(${JSON.stringify(selector)})[${index}].click()`);
  const scrollThrough = () => evaluate(`(async () => {
    for (let y = 0; y < document.body.scrollHeight; y += innerHeight) {
      scrollTo({ top: y, behavior: 'instant' });
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 60)));
    }
    scrollTo({ top: 0, behavior: 'instant' });
  })()`);
  const shot = async (name) => {
    if (!screenshots) return;
    await settle();
    const { cssContentSize: { width, height } } = await Page.getLayoutMetrics();
    const piece = 1.5 * Math.max(width, 900);
    for (let y = 0, number = 1; y < height && number < 9; y += piece, ++number) {
      const clip = { x: 0, y, width, height: Math.min(piece, height - y), scale: 1 };
      const { data } = await Page.captureScreenshot({ format: 'png', captureBeyondViewport: true, clip });
      writeFileSync(join(screenshots, `${name}-${number}.png`), Buffer.from(data, 'base64'));
    }
  };

  // Opening.
  await size(1280, 900);
  await scheme('light');
  const begin = performance.now();
  const loaded = Page.loadEventFired();
  await Page.navigate({ url: pathToFileURL(resolve(page)).href });
  await loaded;
  await evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
  measured.seconds_to_open = (performance.now() - begin) / 1000;

  measured.title = await evaluate('document.title');

  // Figures are drawn when they come near.
  await scrollThrough();
  await settle();
  measured.figures = await evaluate(`document.querySelectorAll('figure').length`);
  measured.drawn = await evaluate(`document.querySelectorAll('.canvas svg .mark-group').length > 0
    ? document.querySelectorAll('.canvas svg').length : 0`);
  check(measured.drawn === measured.figures, `${measured.drawn} of ${measured.figures} figures are drawn`);
  await shot('light');

  // Sorting by every column, both ways.
  measured.rows = await evaluate(`document.querySelectorAll('#run-table tbody tr').length`);
  const columns = await evaluate(`report.runs.columns.length`);
  for (let column = 0; column < columns; ++column) {
    for (const direction of column === 0 ? ['descending', 'ascending'] : ['ascending', 'descending']) {
      await click('#run-table th button', column);
      const order = await evaluate(`(() => {
        const th = document.querySelectorAll('#run-table th')[${column}];
        const cells = [...document.querySelectorAll('#run-table tbody tr')].map((row) => row.cells[0].textContent);
        const byRun = new Map(report.runs.rows.map((row) => [row.cells[0], row.cells[${column}]]));
        return { sort: th.getAttribute('aria-sort'),
          keys: cells.map((id) => byRun.get(id)).map((cell) => Array.isArray(cell) ? cell[0] : cell) };
      })()`);
      check(order.sort === direction, `column ${column}: aria-sort is ${order.sort}, not ${direction}`);
      const present = order.keys.filter((key) => key !== null);
      check(order.keys.slice(present.length).every((key) => key === null), `column ${column}: empty cells are not last`);
      const sign = direction === 'ascending' ? 1 : -1;
      const before = (a, b) => (typeof a === 'number' ? a - b : a.localeCompare(b, 'en', { numeric: true }));
      check(present.every((key, i) => i === 0 || sign * before(present[i - 1], key) <= 0),
        `column ${column} is not ${direction}`);
    }
  }
  await click('#run-table th button', 0);

  // Filter.
  await evaluate(`(() => { const box = document.getElementById('filter'); box.value = 'no such run at all';
    box.dispatchEvent(new Event('input')); })()`);
  check((await evaluate(`document.querySelectorAll('#run-table tbody tr').length`)) === 0, 'the filter keeps rows');
  await evaluate(`(() => { const box = document.getElementById('filter'); box.value = '';
    box.dispatchEvent(new Event('input')); })()`);
  check((await evaluate(`document.querySelectorAll('#run-table tbody tr').length`)) === measured.rows,
    'the empty filter hides rows');

  // Protocols.
  const toggles = await evaluate(`document.querySelectorAll('.toggles button').length`);
  const drawing = () => evaluate(`document.querySelector('.canvas').innerHTML`);
  await evaluate(`document.querySelector('figure').scrollIntoView({ behavior: 'instant' })`);
  await settle();
  const everything = await drawing();
  measured.protocols = await evaluate('report.protocols.length');
  check(toggles === measured.protocols, `${toggles} toggles for ${measured.protocols} protocols`);
  if (toggles > 1) {
    await click('.toggles button');
    await settle();
    const label = await evaluate('report.protocols[0].label');
    check((await evaluate(`document.querySelector('.toggles button').getAttribute('aria-pressed')`)) === 'false',
      'the toggle does not show that it is off');
    check((await drawing()) !== everything, 'a figure is the same without a protocol');
    const left = await evaluate(`[...document.querySelectorAll('#run-table tbody tr')].length`);
    const expected = await evaluate(`report.runs.rows.filter((row) => row.protocol !== ${JSON.stringify(label)}).length`);
    check(left === expected, `${left} rows without a protocol, expected ${expected}`);
    await shot('one-protocol-off');
    await click('.toggles button');
    await settle();
    check((await drawing()) === everything, 'a figure does not come back with its protocol');
  }

  // A tooltip on a mark of the first figure that has one.
  const marks = await evaluate(`[...document.querySelectorAll('figure .mark-symbol path, figure .mark-rect path')]
    .map((mark) => mark.getBoundingClientRect())
    .filter((box) => box.width > 0 && box.top > 60 && box.bottom < innerHeight)
    .map((box) => ({ x: box.x + box.width / 2, y: box.y + box.height / 2 }))`);
  measured.tooltip = '';
  for (const { x, y } of marks) {
    await Input.dispatchMouseEvent({ type: 'mouseMoved', x, y });
    measured.tooltip = await evaluate(`document.getElementById('tooltip').hidden ? ''
      : document.getElementById('tooltip').innerText`);
    if (measured.tooltip !== '') break;
  }
  check(measured.tooltip !== '', 'no mark has a tooltip');

  // Light and dark.
  const paper = () => evaluate(`getComputedStyle(document.body).backgroundColor`);
  const ink = () => evaluate(`getComputedStyle(document.querySelector('.canvas svg .role-axis-label text, .canvas svg text')).fill`);
  const [lightPaper, lightInk] = [await paper(), await ink()];
  await click('#theme');
  check((await paper()) !== lightPaper, 'the toggle does not darken the page');
  check((await ink()) !== lightInk, 'the toggle does not change the figures');
  await click('#theme');
  check((await paper()) === lightPaper, 'the toggle does not lighten the page');
  await evaluate(`delete document.documentElement.dataset.theme`);
  await scheme('dark');
  check((await paper()) !== lightPaper, 'the page does not follow prefers-color-scheme');
  await evaluate(`scrollTo({ top: 0, behavior: 'instant' })`);
  await shot('dark');

  // A phone.
  await scheme('light');
  await size(390, 844, true);
  await settle();
  await scrollThrough();
  await settle();
  measured.narrow_overflow = await evaluate('document.documentElement.scrollWidth - innerWidth');
  check(measured.narrow_overflow <= 0, `the page is ${measured.narrow_overflow} px wider than a phone`);
  await shot('narrow');

  // Paper.
  await size(1280, 900);
  await scheme('dark');
  await settle();
  const { data } = await Page.printToPDF({ printBackground: false, preferCSSPageSize: true });
  if (screenshots) writeFileSync(join(screenshots, 'print.pdf'), Buffer.from(data, 'base64'));
  check(Buffer.from(data, 'base64').length > 10000, 'nothing is printed');

  check(complaints.length === 0, `console: ${complaints.join('\n')}`);
  check(requests.every((url) => url.startsWith('file:')) && requests.length === 1, `requests: ${requests.join(' ')}`);
  await client.close();
} catch (error) {
  problems.push(error.stack ?? String(error));
} finally {
  const gone = new Promise((done) => browser.once('exit', done));
  browser.removeAllListeners('exit');
  browser.once('exit', () => {});
  browser.kill();
  await Promise.race([gone, new Promise((done) => setTimeout(done, 3000))]);
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}

console.log(JSON.stringify(measured));
for (const problem of problems) console.error(problem);
process.exit(problems.length > 0 ? 1 : 0);
