import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import puppeteer, { type Browser, type ElementHandle, type Page } from 'puppeteer-core';
import sharp from 'sharp';
import { CHROMIUM, CHROMIUM_ARGUMENTS } from '../browsers/engines.js';
import { EXAMPLES, installed, PICTURES, record, screenshot } from './example.js';

// Each page of examples/ in Chromium, as a reader opens it.

const execute = promisify(execFile);
const chromium = existsSync(CHROMIUM);
const shown = chromium ? it : it.skip;
const { serve } = (await import(join(EXAMPLES, 'serve.mjs'))) as {
  serve(folder: string, options?: { port?: number; headers?: Record<string, string> }): Promise<{ server: Server; address: string }>;
};

let browser: Browser;
let page: Page;
let started: number;
const servers: Server[] = [];
const errors: string[] = [];

async function open(folder: string): Promise<string> {
  const { server, address } = await serve(join(EXAMPLES, folder));
  servers.push(server);
  await page.goto(address);
  return address;
}
const stopServers = async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
};
/** The text of an element, once it is like this. */
async function text(selector: string, pattern: RegExp): Promise<string> {
  await page.waitForFunction(
    (selector, source) => new RegExp(source, 'u').test(document.querySelector(selector)?.textContent ?? ''),
    {},
    selector,
    pattern.source,
  );
  return page.$eval(selector, (element) => element.textContent ?? '');
}
const upload = async (selector: string, ...files: string[]) =>
  ((await page.$(selector)) as ElementHandle<HTMLInputElement>).uploadFile(...files);

beforeAll(async () => {
  if (chromium) browser = await puppeteer.launch({ executablePath: CHROMIUM, args: CHROMIUM_ARGUMENTS });
});
afterAll(() => browser?.close());
beforeEach(async () => {
  if (!chromium) return;
  started = performance.now();
  page = await browser.newPage();
  page.setDefaultTimeout(45_000);
  await page.setViewport({ width: 760, height: 620 });
  errors.length = 0;
  page.on('pageerror', (error) => errors.push(String(error)));
});
afterEach(async () => {
  await page?.close();
  await stopServers();
  expect(errors).toEqual([]);
});

shown('plain-page: one file, no bundler, no import map', async () => {
  await open('plain-page');
  expect(await text('#answer', /%/)).toContain(PICTURES.panda.label);
  await upload('#file', PICTURES.guitar.file);
  const seen = await text('#answer', /guitar/);
  await screenshot(page, 'plain-page');
  record('plain-page', `${seen.split(' %')[0]} %`, started);
});

shown('vite: built, the most similar pictures come first', async () => {
  await execute(resolve('node_modules/.bin/vite'), ['build', '--logLevel=error'], { cwd: join(EXAMPLES, 'vite') });
  await open('vite/dist');
  expect(await text('#status', /features each/)).toBe('10 pictures, 576 features each');
  const similarities = await page.$$eval('figure', (figures) => figures.map(({ textContent }) => Number(textContent)));
  expect(similarities).toHaveLength(10);
  expect(similarities[0]).toBe(1);
  expect(similarities).toEqual([...similarities].sort((a, b) => b - a));
  await screenshot(page, 'vite');
  record('vite', `similarity ${similarities[1]} to ${similarities.at(-1)}`, started);
});

(chromium && installed('react', 'react-dom') ? it : it.skip)('react: a hook that owns the model (examples/node_modules)', async () => {
  await execute(resolve('node_modules/.bin/vite'), ['build', '--logLevel=error'], { cwd: join(EXAMPLES, 'react') });
  await open('react/dist');
  expect(await text('section', /%/)).toContain(PICTURES.dog.label);
  await page.click('.pictures button:nth-child(5)');
  const [seen] = (await text('section', /guitar.*%/)).split(' %').map((text) => text.replace('guitar', 'guitar: ')) as [string];
  await screenshot(page, 'react');
  record('react', `${seen} %`, started);
});

shown('web-worker: under the strictest policy, and the main thread stays free', async () => {
  await open('web-worker');
  expect(await text('#status', /done/)).toBe('100 of 100 pictures, done');
  expect(await page.$$eval('figure', ({ length }) => length)).toBe(100);
  // Not a measurement: on a busy machine the longest pause says nothing. That there was one says that the bar moved.
  const pause = await page.$eval('#pause', (output) => Number(output.textContent));
  expect(pause).toBeGreaterThan(0);
  await screenshot(page, 'web-worker');
  record('web-worker', `100 pictures by V3-Large, longest pause ${pause} ms`, started);
});

shown('offline: a service worker keeps the page and classifies, without a network', async () => {
  const address = await open('offline');
  await text('#status', /Ready/);
  expect(await text('#answer', /%/)).toContain(PICTURES.owl.label);
  const requests: string[] = [];
  await stopServers();
  await page.setOfflineMode(true);
  page.on('requestfailed', (request) => requests.push(request.url()));
  await page.goto(address);
  await text('#network', /no network/);
  expect(await text('#answer', /%/)).toContain(PICTURES.owl.label);
  await upload('#file', PICTURES.dog.file);
  const seen = await text('#answer', /dog face/);
  expect(requests).toEqual([]);
  await screenshot(page, 'offline');
  record('offline', `${seen.split(' %')[0]} % with the server gone`, started);
});

shown('transfer: classes of your own, learnt in the page', async () => {
  await open('transfer');
  await text('#status', /Ready/);
  const pictures = (first: number, last: number, step: number) => {
    const classes = Array.from({ length: Math.ceil((last - first) / step) }, (_, i) => String(first + i * step).padStart(4, '0'));
    return classes.map((name) => resolve(`images/validation/${name}/0.jpg`));
  };
  // Emoji of faces and of flags: two classes that the network was never trained to tell apart.
  const groups = { face: [0, 60], flag: [900, 960] } as const;
  for (const [name, [first, last]] of Object.entries(groups)) {
    await page.type('#label', name);
    await upload('#files', ...pictures(first, last, 2));
    await page.click('form button');
    await text('#classes', new RegExp(name));
  }
  await page.click('#learn');
  const learnt = await text('#status', /Learnt 2 classes/);
  const unseen = { face: pictures(1, 60, 4), flag: pictures(901, 960, 4) };
  await upload('#try', ...unseen.face, ...unseen.flag);
  const count = unseen.face.length + unseen.flag.length;
  await page.waitForFunction((count) => document.querySelectorAll('figure').length === count, {}, count);
  const answers = await page.$$eval('figure', (figures) => figures.map(({ textContent }) => (textContent ?? '').split(',')[0]));
  const right = answers.filter((answer, i) => answer === (i < unseen.face.length ? 'face' : 'flag')).length;
  expect(right / count).toBeGreaterThan(0.8); // chance is a half
  await screenshot(page, 'transfer');
  record('transfer', `${learnt} ${right} of ${count} new pictures named right`, started);
});

const nsfw = chromium && installed('nsfwjs', '@tensorflow/tfjs', '@tensorflow/tfjs-backend-wasm', 'esbuild');
(nsfw ? it : it.skip)("nsfw: nsfwjs' network from its npm package says what nsfwjs says (examples/node_modules)", async () => {
  await execute(process.execPath, ['build.mjs'], { cwd: join(EXAMPLES, 'nsfw') });
  const address = await open('nsfw/dist');
  await text('#status', /Ready/);
  await upload('#files', PICTURES.panda.file, PICTURES.dog.file, PICTURES.guitar.file);
  await text('#status', /3 pictures/);
  const captions = await page.$$eval('figcaption', (list) => list.map(({ textContent }) => textContent ?? ''));
  for (const caption of captions) expect(caption).toMatch(/^(Drawing|Neutral), \d/);
  expect(await page.$$eval('figure.hidden', ({ length }) => length)).toBe(0);
  await screenshot(page, 'nsfw');
  await page.goto(`${address}nsfwjs-wasm.html`);
  await page.waitForFunction(() => (globalThis as { result?: unknown }).result);
  const theirs = await page.evaluate(() => (globalThis as unknown as { result: { className: string; probability: number }[] }).result);
  const [, label, share] = /^(\w+), ([\d.]+) %$/.exec(captions[0] as string) as unknown as [string, string, string];
  expect(label).toBe(theirs[0]?.className);
  // They resize the picture by another rule.
  expect(Math.abs(Number(share) / 100 - (theirs[0]?.probability as number))).toBeLessThan(0.03);
  record(
    'nsfw',
    `${captions[0]}; nsfwjs says ${theirs[0]?.className}, ${((theirs[0]?.probability as number) * 100).toFixed(1)} %`,
    started,
  );
});

shown('camera: the newest frame, until it is stopped', async () => {
  // A camera that films one picture.
  const film = join(await mkdtemp(join(tmpdir(), 'mobilenet-v3-film-')), 'film.mjpeg');
  const frame = await sharp(PICTURES.panda.file).resize(640, 480, { fit: 'contain' }).jpeg({ quality: 95 }).toBuffer();
  await writeFile(film, Buffer.concat([frame, frame, frame]));
  const own = await puppeteer.launch({
    executablePath: CHROMIUM,
    args: [
      ...CHROMIUM_ARGUMENTS,
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-video-capture=${film}`,
    ],
  });
  try {
    page = await own.newPage();
    page.setDefaultTimeout(45_000);
    await page.setViewport({ width: 560, height: 760 });
    await open('camera');
    await page.click('#start');
    expect(await text('#answer', /%/)).toContain(PICTURES.panda.label);
    const seen = await text('#status', /^[1-9]\d+ frames/);
    await screenshot(page, 'camera');
    await page.click('#stop');
    await page.waitForSelector('#start:not([disabled])');
    const stopped = await page.$eval('#status', ({ textContent }) => textContent);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await page.$eval('#status', ({ textContent }) => textContent)).toBe(stopped);
    expect(await page.$eval('video', ({ srcObject }) => (srcObject as MediaStream).getTracks()[0]?.readyState)).toBe('ended');
    record('camera', `${seen}: ${PICTURES.panda.label}`, started);
  } finally {
    await own.close();
    page = await browser.newPage();
  }
});

shown('extension: Manifest V3, in a worker without a blob', async () => {
  const folder = join(EXAMPLES, 'extension');
  await execute(process.execPath, ['build.mjs'], { cwd: folder });
  const own = await puppeteer.launch({
    executablePath: CHROMIUM,
    args: CHROMIUM_ARGUMENTS,
    pipe: true,
    enableExtensions: [join(folder, 'dist')],
  });
  try {
    const worker = await own.waitForTarget((target) => target.type() === 'service_worker');
    // Somebody's page, with a picture that nobody described.
    const site = await mkdtemp(join(tmpdir(), 'mobilenet-v3-site-'));
    await writeFile(join(site, 'index.html'), '<!doctype html><h1>Pictures</h1><img src="/pictures/validation/0196/0.jpg">');
    const { server, address } = await serve(site);
    servers.push(server);
    page = await own.newPage();
    page.setDefaultTimeout(45_000);
    await page.setViewport({ width: 420, height: 260 });
    await page.goto(address);
    await page.waitForSelector('img[alt]');
    expect(await page.$eval('img', ({ alt }) => alt)).toBe(PICTURES.panda.label);
    await page.goto(new URL('popup.html', worker.url()).href);
    expect(await text('#status', /runs in/)).toBe('The network runs in a worker.');
    await upload('#file', PICTURES.dog.file);
    const seen = await text('#answer', /dog face/);
    await screenshot(page, 'extension');
    record('extension', `${seen.split(' %')[0]} %, and a picture got its alt text`, started);
    page = await browser.newPage();
  } finally {
    await own.close();
  }
});
