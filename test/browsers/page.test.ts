import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompressSync } from 'node:zlib';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { CHROMIUM, CHROMIUM_ARGUMENTS } from './engines.js';

// bench/page as page:build makes it, from a sub-path of a plain static server, on what looks like a phone.

const FOLDER = resolve('build/page');
const PATH = '/some/where/';
const PHONE = { width: 360, height: 740, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };
const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json',
};

(existsSync(CHROMIUM) ? describe : describe.skip)('the page (Debian: chromium)', () => {
  let browser: Browser;
  let server: Server;
  let address: string;
  let headers: Record<string, string> = {};
  /** Paths that answer 404 for now. */
  const missing = new Set<string>();
  const errors: string[] = [];

  // Building the page quantizes both networks.
  const BUILD_MILLISECONDS = 300_000;
  beforeAll(async () => {
    await promisify(execFile)('npm', ['run', 'page:build']);
    server = createServer(async (request, response) => {
      const path = new URL(request.url ?? '', 'http://localhost').pathname;
      const name = path.startsWith(PATH) && !missing.has(path.slice(PATH.length)) ? path.slice(PATH.length) || 'index.html' : undefined;
      const body = name && (await readFile(join(FOLDER, name)).catch(() => undefined));
      response.writeHead(body ? 200 : 404, { 'content-type': TYPES[extname(name ?? '')] ?? 'application/octet-stream', ...headers });
      response.end(body);
    });
    await new Promise<void>((started) => server.listen(0, '127.0.0.1', started));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}${PATH}`;
    const camera = ['--use-fake-device-for-media-stream'];
    browser = await puppeteer.launch({ executablePath: CHROMIUM, args: [...CHROMIUM_ARGUMENTS, ...camera], headless: true });
  }, BUILD_MILLISECONDS);
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });
  beforeEach(() => {
    headers = {};
    missing.clear();
    errors.length = 0;
  });

  async function open(name: string): Promise<Page> {
    const page = await browser.newPage();
    page.on('pageerror', (error) => errors.push(String(error)));
    await page.setViewport(PHONE);
    await page.goto(address + name);
    return page;
  }
  const ready = (page: Page) => page.waitForFunction(() => /classes/.test(document.getElementById('model')?.textContent ?? ''));
  const text = (page: Page, selector: string) => page.$eval(selector, (element) => (element as HTMLElement).innerText);
  const run = async (page: Page, timeout = 50_000) => {
    await page.click('input[value="2"]');
    await page.click('input[value="mobilenet_v3_large"]');
    await page.click('#start');
    await page.waitForFunction(() => document.getElementById('running')?.hidden, { timeout });
  };

  it.each(['', 'demo.html'])('loads little before any weights: /%s', async (name) => {
    const page = await browser.newPage();
    const loaded = new Set<string>();
    page.on('response', (response) => loaded.add(new URL(response.url()).pathname.slice(PATH.length) || 'index.html'));
    await page.goto(address + name);
    if (name === '') {
      await page.click('#start');
      await page.waitForSelector('#checked:not([hidden])');
    } else await ready(page);
    await page.close();
    let bytes = 0;
    for (const file of loaded)
      if (/\.(html|js|css|svg)$/.test(file)) bytes += brotliCompressSync(await readFile(join(FOLDER, file))).length;
    expect(bytes).toBeGreaterThan(20_000);
    expect(bytes).toBeLessThan(150_000);
  });

  it.each(['', 'demo.html'])('is what Lighthouse asks for: /%s', async (name) => {
    const flags = ['--quiet', '--output=json', '--only-categories=accessibility,best-practices'];
    const environment = { ...process.env, CHROME_PATH: CHROMIUM };
    const { stdout } = await promisify(execFile)(
      resolve('node_modules/.bin/lighthouse'),
      [address + name, ...flags, `--chrome-flags=--headless ${CHROMIUM_ARGUMENTS.join(' ')}`],
      { env: environment, maxBuffer: 1 << 26 },
    );
    const { categories, audits } = JSON.parse(stdout) as {
      categories: Record<string, { score: number }>;
      audits: Record<string, { score: number | null; title: string }>;
    };
    const failed = Object.values(audits).filter(({ score }) => score !== null && score < 1);
    expect(failed.map(({ title }) => title)).toEqual([]);
    expect(Object.values(categories).map(({ score }) => score)).toEqual([1, 1]);
  });

  it('measures, checks the answers first, and fits a phone', async () => {
    headers = ISOLATED;
    const page = await open('');
    await page.click('input[name="everyWay"]');
    await run(page, 170_000);
    expect(await text(page, '#checked')).toContain('bit for bit');
    const charts = await text(page, '#charts');
    for (const way of ['pairs', 'products']) expect(charts).toContain(`int8, ${way}, `);
    expect(await text(page, '#notes')).toMatch(/int8 was computed in (pairs|planes)/);
    expect(await text(page, '#summary')).toMatch(/int8 is \d\.\d\d times as fast/);
    // Float32 and int8, with each SIMD, on one thread and on two.
    expect((await page.$$('#charts .bars tr')).length).toBeGreaterThanOrEqual(1 + 2 * 2);
    expect((await page.$$('#layers details')).length).toBe(2);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(PHONE.width);
    const small = await page.$$eval('button, select, input[type=file], input[type=text], summary, fieldset label', (elements) =>
      elements.filter((e) => (e as HTMLElement).offsetParent && e.getBoundingClientRect().height < 44).map((e) => e.outerHTML),
    );
    expect(small).toEqual([]);
    expect(errors).toEqual([]);
    await page.close();
  }, 180_000);

  it('shows a linked result, and what is no result', async () => {
    const page = await open('');
    await run(page);
    const measured = await text(page, '#charts');
    await page.evaluate(() => {
      Object.defineProperty(navigator, 'clipboard', {
        value: { writeText: async (copied: string) => Object.assign(globalThis, { copied }) },
      });
    });
    await page.click('#link');
    await page.waitForFunction(() => 'copied' in globalThis);
    const link = await page.evaluate(() => (globalThis as unknown as { copied: string }).copied);
    const other = await browser.newPage();
    await other.goto(link);
    await other.waitForSelector('#charts .bars');
    expect(await text(other, '#charts')).toBe(measured);
    await other.goto('about:blank');
    await other.goto(link.slice(0, -20));
    await other.waitForSelector('#message:not([hidden])');
    expect(await text(other, '#message')).toContain('no result');
    await other.close();
    await page.close();
  });

  it('finishes and stays responsive when the page is held back four times', async () => {
    const page = await open('');
    await run(page);
    const medians = () =>
      page.$$eval('#charts .bars .value', (cells) => cells.map(({ textContent }) => Number(textContent)).filter((x) => x > 0));
    const fast = await medians();
    const client = await page.createCDPSession();
    await client.send('Emulation.setCPUThrottlingRate', { rate: 4 });
    await page.evaluate(() => {
      const gaps: number[] = [];
      let last = performance.now();
      const tick = () => {
        gaps.push(performance.now() - last);
        last = performance.now();
        if (!(globalThis as unknown as { done?: boolean }).done) setTimeout(tick, 10);
      };
      Object.assign(globalThis, { gaps });
      tick();
    });
    await page.click('#start');
    await page.waitForFunction(() => document.getElementById('running')?.hidden, { timeout: 50_000 });
    const gaps = await page.evaluate(() => Object.assign(globalThis, { done: true }) && (globalThis as unknown as { gaps: number[] }).gaps);
    const slow = await medians();
    expect(slow).toHaveLength(fast.length);
    // The throttle holds the page's own thread back, not its workers': the page is to stay responsive all the same.
    const longGaps = gaps.filter((gap) => gap > 250).length;
    expect(longGaps).toBeLessThan(gaps.length / 20);
    await page.close();
  });

  it('tells of weights that are missing, and goes on when they are back', async () => {
    missing.add('mobilenet_v3_small.int8.safetensors');
    const page = await open('');
    await run(page);
    expect(await text(page, '#message')).toContain('404');
    missing.clear();
    await page.click('#start');
    await page.waitForFunction(() => document.getElementById('running')?.hidden, { timeout: 50_000 });
    expect(await text(page, '#summary')).toContain('times as fast');
    await page.close();
  });

  it('stops when told to, and keeps what it has', async () => {
    const page = await open('');
    await page.click('#start');
    await page.waitForSelector('#charts .bars');
    await page.click('#stop');
    await page.waitForFunction(() => document.getElementById('running')?.hidden, { timeout: 50_000 });
    expect(await text(page, '#charts')).toContain('float32');
    await page.close();
  });

  it('tells of a worker that dies, and starts again', async () => {
    const page = await browser.newPage();
    await page.evaluateOnNewDocument(() => {
      const Original = Worker;
      globalThis.Worker = class extends Original {
        constructor(...args: ConstructorParameters<typeof Worker>) {
          super(...args);
          Object.assign(globalThis, { last: this });
        }
      };
    });
    await page.goto(address);
    await page.click('#start');
    await page.waitForSelector('#charts .bars');
    await page.evaluate(() =>
      (globalThis as unknown as { last: Worker }).last.dispatchEvent(new ErrorEvent('error', { message: 'out of memory' })),
    );
    expect(await text(page, '#message')).toContain('died (out of memory)');
    expect(await text(page, '#charts')).toContain('float32');
    await run(page);
    expect(await text(page, '#summary')).toContain('times as fast');
    await page.close();
  });

  it('classifies in the demo, in both precisions', async () => {
    const page = await open('demo.html');
    await ready(page);
    expect(await text(page, '#model')).toContain('off the main thread');
    await page.click('#samples button');
    await page.waitForSelector('#answers tr');
    expect(await page.$$('#answers tr')).toHaveLength(5);
    const int8 = await text(page, '#answers tr th');
    await page.click('input[value="float32"]');
    await page.waitForFunction(() => document.getElementById('model')?.textContent?.includes('float32'));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await text(page, '#answers tr th')).toBe(int8);
    expect(errors).toEqual([]);
    await page.close();
  });

  it('takes a camera, and says so when it is refused', async () => {
    const page = await open('demo.html');
    await ready(page);
    const context = browser.defaultBrowserContext();
    const { origin } = new URL(address);
    await context.setPermission(origin, { permission: { name: 'camera' }, state: 'denied' });
    await page.click('#camera');
    await page.waitForSelector('#message:not([hidden])');
    expect(await text(page, '#message')).toContain('refused');
    await context.setPermission(origin, { permission: { name: 'camera' }, state: 'granted' });
    await page.click('#camera');
    await page.waitForFunction(() => document.getElementById('speed')?.textContent?.includes('frames per second'));
    expect(await page.$eval('#message', (element) => (element as HTMLElement).hidden)).toBe(true);
    await page.click('#camera');
    expect(await text(page, '#camera')).toBe('Start the camera');
    await page.close();
  });

  it('takes weights that are dropped, and tells of files that are none', async () => {
    const page = await open('demo.html');
    await ready(page);
    const dropped = (name: string, bytes: number[]) =>
      page.evaluate(
        (file, content) => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(content)], file));
          document.dispatchEvent(new DragEvent('drop', { dataTransfer: data }));
        },
        name,
        bytes,
      );
    await dropped('broken.safetensors', [1, 2, 3]);
    await page.waitForSelector('#message:not([hidden])');
    expect(await text(page, '#message')).toContain('cannot be loaded');
    await dropped('broken.jpg', [1, 2, 3]);
    await page.waitForFunction(() => document.getElementById('message')?.textContent?.includes('picture'));
    // Still there: the network that was loaded before.
    await page.click('#samples button');
    await page.waitForSelector('#answers tr');
    const weights = await page.$('#file');
    await (weights as unknown as { uploadFile(path: string): Promise<void> }).uploadFile(
      resolve('checkpoints/mobilenet_v3_small.safetensors'),
    );
    await page.waitForFunction(() => document.getElementById('model')?.textContent?.includes('float weights'));
    await page.close();
  });
});
