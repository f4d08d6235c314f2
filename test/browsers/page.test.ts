import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompressSync } from 'node:zlib';
import { CHROMIUM, CHROMIUM_ARGUMENTS } from './engines.js';
import { benchmarkTests } from './page/benchmark.js';
import { BuiltPage, FOLDER } from './page/built.js';
import { demoTests, ready } from './page/demo.js';
import { shareTests } from './page/share.js';

(existsSync(CHROMIUM) ? describe : describe.skip)('the page (Debian: chromium)', () => {
  const site = new BuiltPage();
  beforeAll(() => site.start(), 300_000);
  afterAll(() => site.stop());
  beforeEach(() => site.reset());

  it.each(['', 'demo.html'])('loads little before any weights: /%s', async (name) => {
    const page = await site.open(name);
    if (name === '') {
      await page.click('#start');
      await page.waitForSelector('#checked:not([hidden])');
    } else await ready(page);
    await page.close();
    let bytes = 0;
    for (const file of new Set(site.asked))
      if (/\.(html|js|css|svg)$/.test(file)) bytes += brotliCompressSync(await readFile(join(FOLDER, file))).length;
    expect(bytes).toBeGreaterThan(20_000);
    expect(bytes).toBeLessThan(150_000);
  });

  it.each(['', 'demo.html'])('is what Lighthouse asks for: /%s', async (name) => {
    const flags = ['--quiet', '--output=json', '--only-categories=accessibility,best-practices'];
    const environment = { ...process.env, CHROME_PATH: CHROMIUM };
    const { stdout } = await promisify(execFile)(
      resolve('node_modules/.bin/lighthouse'),
      [site.address + name, ...flags, `--chrome-flags=--headless ${CHROMIUM_ARGUMENTS.join(' ')}`],
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

  benchmarkTests(site);
  shareTests(site);
  demoTests(site);
});
