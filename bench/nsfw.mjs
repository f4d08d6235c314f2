// npm run bench:nsfw: examples/nsfw against nsfwjs itself, in Chromium, in one run. Milliseconds, and the bytes of code that each page loads.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import puppeteer from 'puppeteer-core';
import { serve } from '../examples/serve.mjs';
import { markdownTable, writeDocs } from './docs.mjs';
import { root } from './prepare.mjs';

const folder = join(root, 'examples/nsfw/dist');
const { server, address } = await serve(folder);
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  protocolTimeout: 400_000, // TensorFlow.js in plain JavaScript holds the page for long
  args: ['--no-sandbox', '--no-first-run', '--disable-background-networking', '--disable-component-update'],
});

/** The scripts and binaries that a page loads until it has said what a picture is. */
async function codeOf(path, isDone) {
  const page = await browser.newPage();
  const bodies = [];
  page.on('response', (response) => {
    if (/\.(js|wasm)$/.test(new URL(response.url()).pathname)) bodies.push(response.buffer());
  });
  await page.goto(`${address}${path}`);
  await isDone(page);
  const buffers = await Promise.all(bodies);
  await page.close();
  const sum = (size) => buffers.reduce((total, body) => total + size(body), 0);
  return { files: buffers.length, bytes: sum((body) => body.length), brotli: sum((body) => brotliCompressSync(body).length) };
}
const ours = await codeOf('', async (page) => {
  await page.waitForFunction(() => document.querySelector('#status').textContent === 'Ready.');
  await (await page.$('#files')).uploadFile(join(root, 'images/validation/0196/0.jpg'));
  await page.waitForFunction(() => document.querySelector('#status').textContent.includes('looked at'));
});
const theirs = await codeOf('nsfwjs.html', (page) => page.waitForFunction(() => globalThis.result, { timeout: 120_000, polling: 500 }));

const page = await browser.newPage();
await page.goto(`${address}race.html`);
await page.waitForFunction(() => globalThis.result, { timeout: 400_000, polling: 1000 });
const race = await page.evaluate(() => globalThis.result);
const chromium = await browser.version();
await browser.close();
server.close();
if (race.error) throw new Error(race.error);
const machine = `${availableParallelism()} threads of ${cpus()[0].model.trim()}`;
const sizeOf = (bodies) => ({
  files: bodies.length,
  bytes: bodies.reduce((sum, body) => sum + body.length, 0),
  brotli: bodies.reduce((sum, body) => sum + brotliCompressSync(body).length, 0),
});
const modules = join(root, 'examples/node_modules');
/** What the other ways to have nsfwjs weigh: its own file for script tags, and a page that adds the backend that is raced here. */
const code = {
  ours,
  theirs,
  theirsScript: sizeOf([readFileSync(join(modules, 'nsfwjs/dist/browser/nsfwjs.min.js'))]),
  theirsWasm: sizeOf(['nsfwjs-wasm/nsfwjs-wasm.js', 'tfjs/tfjs-backend-wasm-simd.wasm'].map((name) => readFileSync(join(folder, name)))),
};
const model = statSync(join(folder, 'model/group1-shard1of1')).size;
const date = new Date().toISOString().slice(0, 10);
const result = { date, machine, chromium, model, code, ...race };
writeFileSync(join(root, 'bench/results/nsfw.json'), `${JSON.stringify(result, null, 2)}\n`);

const kilobytes = (bytes) => `${(bytes / 1000).toFixed(0)} KB`;
const sizeRow = (name, { bytes, brotli }) => [name, kilobytes(bytes), kilobytes(brotli), `${((100 * ours.bytes) / bytes).toFixed(2)} %`];
const speedRow = (backend, name) => {
  const { ours, theirs } = race[backend];
  return [name, `${ours.toFixed(1)} ms`, `${theirs.toFixed(1)} ms`, `${(theirs / ours).toFixed(1)}`];
};
const speeds = [
  ['wasm', 'WebAssembly'],
  ['webgl', 'WebGL, without a GPU'],
  ['cpu', 'JavaScript'],
].filter(([backend]) => race[backend]);
writeDocs(
  '../examples/README.md',
  'npm run bench:nsfw',
  `${date}, one thread of ${cpus()[0].model.trim()}, ${chromium}; the network in float32, median of ${race.wasm.rounds} pictures in turn (${race.webgl?.rounds ?? 0} for WebGL, ${race.cpu.rounds} for JavaScript):

${markdownTable(
  ["nsfwjs' backend", 'this package', 'nsfwjs', 'times'],
  speeds.map(([backend, name]) => speedRow(backend, name)),
)}

Both give the same probabilities. The code that a page loads, without the network:

${markdownTable(
  ['page', 'bytes', 'by Brotli', "this package's share of the bytes"],
  [
    sizeRow('this package', ours),
    sizeRow('nsfwjs, bundled', theirs),
    sizeRow('nsfwjs, bundled with its WebAssembly backend', code.theirsWasm),
    sizeRow('nsfwjs, its file for script tags', code.theirsScript),
  ],
)}`,
);
console.log(JSON.stringify(result, null, 2));
