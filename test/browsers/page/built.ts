// bench/page as page:build makes it, from a sub-path of a plain static server, on what looks like a phone.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { CHROMIUM, CHROMIUM_ARGUMENTS } from '../engines.js';

export const FOLDER = resolve('build/page');
export const PHONE = { width: 360, height: 740, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };
const PATH = '/some/where/';
const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

export const text = (page: Page, selector: string) => page.$eval(selector, (element) => (element as HTMLElement).innerText);
/** Until the run that was started has ended. */
export const ended = (page: Page, timeout = 50_000) => page.waitForFunction(() => document.getElementById('running')?.hidden, { timeout });
/** A quick run of Small. */
export async function run(page: Page, timeout?: number): Promise<void> {
  await page.click('input[value="2"]');
  await page.click('input[value="mobilenet_v3_large"]');
  await page.click('#start');
  await ended(page, timeout);
}
/** What `button` copies. */
export async function copied(page: Page, button: string): Promise<string> {
  await page.evaluate(() => {
    const writeText = async (written: string) => Object.assign(globalThis, { copied: written });
    Object.defineProperty(navigator, 'clipboard', { value: { writeText }, configurable: true });
  });
  await page.click(button);
  await page.waitForFunction(() => 'copied' in globalThis);
  return page.evaluate(() => (globalThis as unknown as { copied: string }).copied);
}

export class BuiltPage {
  headers: Record<string, string> = {};
  /** Names of files that answer 404 for now. */
  readonly missing = new Set<string>();
  /** Names of files that were asked for. */
  readonly asked: string[] = [];
  /** What the pages threw and did not catch. */
  readonly errors: string[] = [];
  browser!: Browser;
  address!: string;
  private server!: Server;

  /** Building the page quantizes both networks. */
  async start(): Promise<void> {
    await promisify(execFile)('npm', ['run', 'page:build']);
    this.server = createServer(async (request, response) => {
      const { pathname } = new URL(request.url ?? '', 'http://localhost');
      const name = pathname.startsWith(PATH) ? pathname.slice(PATH.length) || 'index.html' : pathname;
      this.asked.push(name);
      const body = this.missing.has(name) ? undefined : await readFile(join(FOLDER, name)).catch(() => undefined);
      response.writeHead(body ? 200 : 404, { 'content-type': TYPES[extname(name)] ?? 'application/octet-stream', ...this.headers });
      response.end(body);
    });
    await new Promise<void>((started) => this.server.listen(0, '127.0.0.1', started));
    this.address = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${PATH}`;
    const camera = ['--use-fake-device-for-media-stream'];
    this.browser = await puppeteer.launch({ executablePath: CHROMIUM, args: [...CHROMIUM_ARGUMENTS, ...camera], headless: true });
  }

  async stop(): Promise<void> {
    await this.browser?.close();
    this.server?.close();
  }

  /** As before any test. */
  reset(): void {
    this.headers = {};
    this.missing.clear();
    this.asked.length = 0;
    this.errors.length = 0;
  }

  async open(name: string): Promise<Page> {
    const page = await this.browser.newPage();
    page.on('pageerror', (error) => this.errors.push(String(error)));
    await page.setViewport(PHONE);
    await page.goto(this.address + name);
    return page;
  }
}
