// node bench/phones/table.mjs: reads the results in this folder, and writes the table of README.md. Fails on a file that is no result.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const MARKERS = ['<!-- npm run phones writes from here -->', '<!-- to here -->'];
const HEAD = [
  'device',
  'browser',
  'date',
  'Small, float32',
  'Small, int8',
  'Large, float32',
  'Large, int8',
  'int8 by',
  'threads',
  'cold',
  'heat',
];

/** The page's own check of a result. */
async function page() {
  const entryPoints = [`${HERE}../page/src/result.ts`];
  const { outputFiles } = await build({ entryPoints, bundle: true, format: 'esm', write: false, logLevel: 'warning' });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

/** Nothing in a cell ends the cell, the row or the table. */
const cell = (text) =>
  String(text)
    .replace(/[\r\n|<>`]/g, ' ')
    .trim() || '-';

export async function tableOf(folder) {
  const { checkResult, browserOf } = await page();
  const rows = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => {
      let result;
      try {
        result = checkResult(JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')));
      } catch {
        // Told below.
      }
      if (!result) throw new Error(`${name} is no result of the page; a file that its JSON button saved was expected.`);
      if (!result.device.name) throw new Error(`${name} names no device; type its name into the page before you save.`);
      const fastest = (network, precision) =>
        result.rows.filter((row) => row.network === network && row.precision === precision).sort((a, b) => a.median - b.median)[0];
      const time = (network, precision) => fastest(network, precision)?.median.toFixed(2) ?? '-';
      const int8 = fastest('mobilenet_v3_small', 'int8') ?? fastest('mobilenet_v3_large', 'int8');
      return [
        result.device.name,
        browserOf(result.device.userAgent),
        result.date.slice(0, 10),
        time('mobilenet_v3_small', 'float32'),
        time('mobilenet_v3_small', 'int8'),
        time('mobilenet_v3_large', 'float32'),
        time('mobilenet_v3_large', 'int8'),
        int8?.chosen ?? '-',
        int8?.threads ?? '-',
        result.cold[0] ? result.cold[0].milliseconds.toFixed(0) : '-',
        result.sustained.length > 0 ? Math.max(...result.sustained.map(({ ratio }) => ratio)).toFixed(2) : '-',
      ].map(cell);
    });
  if (rows.length === 0) return 'Nobody has sent a result yet.';
  return [HEAD, HEAD.map((_, i) => (i < 3 ? '---' : '---:')), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = `${HERE}README.md`;
  const text = readFileSync(file, 'utf8');
  const [from, to] = MARKERS.map((marker) => text.indexOf(marker));
  writeFileSync(file, `${text.slice(0, from + MARKERS[0].length)}\n\n${await tableOf(HERE)}\n\n${text.slice(to)}`);
}
