// Draws Vega-Lite specifications as SVG, without a browser and without network:
//   node render.mjs OUT.svg SPEC.vl.json [OUT.svg SPEC.vl.json ...]
// A specification that cannot be drawn is named on stderr; the others are drawn all the same (exit code 1).

import { readFile, writeFile } from 'node:fs/promises';
import * as vega from 'vega';
import { compile } from 'vega-lite';
import { textWidth } from './text_width.mjs';

// Without a canvas Vega takes every letter for 0.8 em wide, which pushes labels and legends apart.
vega.textMetrics.width = (item, text) => {
  const width = textWidth(String(text ?? '').trim(), item.fontSize ?? 11, item.fontWeight);
  return item.limit > 0 ? Math.min(width, item.limit) : width;
};

const loader = vega.loader();
loader.load = async (uri) => {
  throw new Error(`data must be inline, found ${uri}`);
};

function report(file, message) {
  console.error(`${file}: ${String(message).split('\n')[0]}`);
}

async function draw(svgFile, specFile) {
  const problems = [];
  const note = (...words) => problems.push(words.join(' '));
  const logger = { level: () => logger, error: note, warn: () => logger, info: () => logger, debug: () => logger };
  const spec = JSON.parse(await readFile(specFile, 'utf8'));
  const runtime = vega.parse(compile(spec, { logger }).spec);
  const view = new vega.View(runtime, { renderer: 'none', loader, logger });
  try {
    const svg = await view.toSVG();
    if (problems.length > 0) throw new Error(problems[0]);
    await writeFile(svgFile, svg);
  } finally {
    view.finalize();
  }
}

const files = process.argv.slice(2);
for (let i = 0; i + 1 < files.length; i += 2) {
  try {
    await draw(files[i], files[i + 1]);
  } catch (error) {
    report(files[i + 1], error.message ?? error);
    process.exitCode = 1;
  }
}
