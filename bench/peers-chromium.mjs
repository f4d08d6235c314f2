// One engine's share of bench:peers, in Chromium: node peers-chromium.mjs MODEL_FOLDER THREADS ROUNDS. Prints JSON.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { build } from 'esbuild';
import puppeteer from 'puppeteer-core';
import { root } from './prepare.mjs';

const [folder, threads, rounds] = process.argv.slice(2);
const modules = join(root, 'bench/node_modules');
const FOLDERS = {
  model: folder,
  ort: join(modules, 'onnxruntime-web/dist'),
  tfjs: join(modules, '@tensorflow/tfjs-backend-wasm/dist'),
  litert: join(modules, '@litertjs/core/wasm'),
};
const TYPES = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html' };
/** For threads, and for a clock of 5 microseconds. */
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };

const { outputFiles } = await build({
  entryPoints: [join(root, 'bench/peers-page.mjs')],
  bundle: true,
  format: 'esm',
  platform: 'browser',
  write: false,
  logLevel: 'error',
  alias: { '#platform': join(root, 'src/platform/browser.ts') },
});
const server = createServer(({ url }, response) => {
  const [, place, name] = url.split('/');
  const page = { '': '<!doctype html><script type="module" src="/page.js"></script>', 'page.js': outputFiles[0].text }[place];
  try {
    const body = page ?? readFileSync(join(FOLDERS[place], name));
    response.writeHead(200, { ...ISOLATED, 'content-type': TYPES[extname(page === undefined ? name : place || '.html')] ?? 'text/html' });
    response.end(body);
  } catch {
    response.writeHead(404, ISOLATED).end();
  }
}).listen(0, '127.0.0.1');
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
  protocolTimeout: 1_800_000,
});
try {
  const page = await browser.newPage();
  page.on('pageerror', (error) => console.error(error.message));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.waitForFunction(() => globalThis.runPeers, { timeout: 60_000 });
  const rows = await page.evaluate((...counts) => globalThis.runPeers(...counts), Number(threads), Number(rounds));
  console.log(JSON.stringify(rows));
} finally {
  await browser.close();
  server.close();
}
