// The README's table of speed, from what bench:peers and bench:arm have measured. Both write it; node bench/readme.mjs does so by itself.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { markdownTable, writeDocs } from './docs.mjs';

const PHONE = 'neoverse-n1';
/** What the README shows: its words, a network and a contender of bench:peers, and a row of bench:arm. */
const ROWS = [
  ['V3-Large, float32', 'V3-large', 'ours, float32, relaxed', 'V3-Large, ours, float32, relaxed'],
  ['V3-Large, int8', 'V3-large', 'ours, int8, relaxed', 'V3-Large, ours, int8, planes, relaxed'],
  ['V3-Large, float32, in LiteRT.js', 'V3-large', 'LiteRT.js, float32', 'V3-Large, LiteRT.js, float32, relaxed'],
  ['V3-Large, float32, in tfjs', 'V3-large', 'tfjs-backend-wasm, float32', 'V3-Large, tfjs-backend-wasm, float32, baseline'],
  ['V3-Large, float32, in onnxruntime-web', 'V3-large', 'onnxruntime-web, float32'],
  ['V2, 8-bit TFLite', 'V2, 8-bit .tflite', 'ours, int8, relaxed', 'V2, 8-bit .tflite, ours, int8, planes, relaxed'],
  ['V2, 8-bit TFLite, in LiteRT.js', 'V2, 8-bit .tflite', 'LiteRT.js, int8', 'V2, 8-bit .tflite, LiteRT.js, int8, relaxed'],
];

const resultsOf = (name) => JSON.parse(readFileSync(join(fileURLToPath(import.meta.url), `../results/${name}.json`), 'utf8'));

function named(rows, name) {
  const row = rows.find((other) => other.name === name);
  if (!row) throw new Error(`bench/readme.mjs: no row "${name}"; there are ${rows.map((other) => other.name).join('; ')}.`);
  return row;
}

export function readmeTable(peers = resultsOf('peers'), arm = resultsOf('arm')) {
  const inChromium = ({ engine, threads }) => engine.startsWith('Chromium') && threads === 1;
  const lines = ROWS.map(([title, network, contender, phone]) => {
    const { rows } = peers.results.find((result) => result.network === network && inChromium(result));
    const { median } = named(rows, contender);
    const cycles = phone && named(arm.rows, phone).arm64.cycles[PHONE] / 1e6;
    return [title, `${median.toFixed(1)} ms`, cycles ? cycles.toFixed(1) : ''];
  });
  const { engine } = peers.results.find(inChromium);
  return markdownTable(['one image', `server, ${engine.split('.')[0]}`, 'phone, million cycles'], lines);
}

export const writeReadme = () => writeDocs('../README.md', 'npm run bench:peers, bench:arm', readmeTable());

if (process.argv[1] === fileURLToPath(import.meta.url)) writeReadme();
