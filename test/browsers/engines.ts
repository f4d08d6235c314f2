// Debian's three browsers behind one door. Each is driven by the driver that is kept for it.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import puppeteer, { type Page } from 'puppeteer-core';
import { Builder, Capabilities, type WebDriver } from 'selenium-webdriver';

export interface Tab {
  goto(url: string): Promise<void>;
  /** The value of `globalThis.result`, once there is one; while there is none, `globalThis.doing` tells how far the page is. */
  result(patienceMilliseconds?: number): Promise<unknown>;
  close(): Promise<void>;
}

export interface OpenEngine {
  newTab(): Promise<Tab>;
  close(): Promise<void>;
}

export interface BrowserEngine {
  readonly name: string;
  readonly debianPackages: string;
  readonly installed: boolean;
  open(): Promise<OpenEngine>;
}

export const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const FIREFOX = process.env['FIREFOX'] ?? '/usr/bin/firefox-esr';
const WEBKIT_DRIVER = '/usr/bin/WebKitWebDriver';
const MINI_BROWSER = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/webkit2gtk-4.1/MiniBrowser`;
const XVFB = '/usr/bin/Xvfb';

/** Chromium without what it would do on its own behalf. */
export const CHROMIUM_ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
];

/** Shared machines are slow at times. */
const PATIENCE_MILLISECONDS = 45_000;

async function openWithPuppeteer(browser: 'chrome' | 'firefox', executablePath: string, args: string[]): Promise<OpenEngine> {
  const opened = await puppeteer.launch({ browser, executablePath, args, headless: true, timeout: PATIENCE_MILLISECONDS });
  return {
    newTab: async () => {
      const page = await opened.newPage();
      const stopCounting = browser === 'chrome' ? await countLines(page) : async () => undefined;
      return {
        goto: async (url) => void (await page.goto(url)),
        result: (patience) =>
          polled(
            () => page.evaluate(() => (globalThis as unknown as { result?: unknown }).result),
            () => page.evaluate(() => (globalThis as unknown as { doing?: unknown }).doing),
            patience,
          ),
        close: async () => {
          await stopCounting();
          await page.close();
        },
      };
    },
    close: () => opened.close(),
  };
}

/** The bundles of a page, for scripts/coverage.mjs: where Node writes which lines it ran, this writes what the page did. */
export const COVERAGE = process.env['NODE_V8_COVERAGE'];

async function countLines(page: Page): Promise<() => Promise<void>> {
  if (!COVERAGE) return async () => undefined;
  await page.coverage.startJSCoverage({ resetOnNavigation: false, includeRawScriptCoverage: true });
  return async () => {
    const scripts = await page.coverage.stopJSCoverage();
    const result = scripts.map(({ rawScriptCoverage, text }) => ({ ...rawScriptCoverage, source: text }));
    writeFileSync(join(COVERAGE, `page-${randomUUID()}.json`), JSON.stringify({ result }));
  };
}

/** What `look` sees, once it sees something; `where` tells what it was waiting for. */
async function polled<T>(
  look: () => Promise<T>,
  where: () => Promise<unknown> = async () => 'it',
  patience = PATIENCE_MILLISECONDS,
): Promise<T> {
  const deadline = Date.now() + patience;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== null) return value;
    if (Date.now() > deadline) throw new Error(`nothing after ${patience / 1000} s; waiting for ${await where()}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

async function openWebKit(): Promise<OpenEngine> {
  const display = `:${100 + (process.pid % 900)}`;
  const children: ChildProcess[] = [spawn(XVFB, [display, '-screen', '0', '1024x768x24'], { stdio: 'ignore' })];
  const port = await freePort();
  // Its sandbox needs more than a container allows, and it opens the test's own pages only. Shared memory, which Safari has
  // in isolated pages, is off in the GTK port unless asked for.
  const env = { ...process.env, DISPLAY: display, WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1', JSC_useSharedArrayBuffer: '1' };
  children.push(spawn(WEBKIT_DRIVER, [`--port=${port}`], { stdio: 'ignore', env }));
  const address = `http://127.0.0.1:${port}`;
  await polled(() => fetch(`${address}/status`).catch(() => undefined));
  const capabilities = new Capabilities({
    browserName: 'MiniBrowser',
    'webkitgtk:browserOptions': { binary: MINI_BROWSER, args: ['--automation'] },
  });
  const driver: WebDriver = await new Builder().usingServer(address).withCapabilities(capabilities).build();
  return {
    newTab: async () => ({
      goto: (url) => driver.get(url),
      result: (patience) =>
        polled(
          () => driver.executeScript('return globalThis.result'),
          () => driver.executeScript('return globalThis.doing'),
          patience,
        ),
      close: () => driver.get('about:blank'),
    }),
    close: async () => {
      await driver.quit();
      for (const child of children) child.kill();
    },
  };
}

export const ENGINES: readonly BrowserEngine[] = [
  {
    name: 'Chromium',
    debianPackages: 'chromium',
    installed: existsSync(CHROMIUM),
    open: () => openWithPuppeteer('chrome', CHROMIUM, CHROMIUM_ARGUMENTS),
  },
  {
    name: 'Firefox',
    debianPackages: 'firefox-esr',
    installed: existsSync(FIREFOX),
    open: () => openWithPuppeteer('firefox', FIREFOX, []),
  },
  {
    name: 'WebKit',
    debianPackages: 'webkit2gtk-driver xvfb',
    installed: [WEBKIT_DRIVER, MINI_BROWSER, XVFB].every((path) => existsSync(path)),
    open: openWebKit,
  },
];
