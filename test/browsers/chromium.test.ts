import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { build } from 'esbuild';
import { type Browser, chromium } from 'playwright-core';
import sharp from 'sharp';
import { fuse } from '../../src/graph/fusion.js';
import { quantize } from '../../src/load.js';
import { LocalModel } from '../../src/local-model.js';
import type { Tensor } from '../../src/model.js';
import { random, randomNetwork, uniform } from '../random-network.js';

// The built package, bundled by esbuild with no configuration, in Chromium: npm run build comes first (npm ci does it).

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };
const policy = (workers: string) => ({
  'content-security-policy': `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src ${workers}`,
});
/** Threads are to be had where the page is isolated and its policy lets workers start. */
const PAGES = [
  { name: 'a plain page', page: {}, isolated: false, threads: false },
  { name: 'a cross-origin isolated page', page: ISOLATED, isolated: true, threads: true },
  { name: 'a page under a strict policy', page: policy("'self'"), isolated: false, threads: false },
  { name: 'an isolated page under a strict policy', page: { ...ISOLATED, ...policy("'self'") }, isolated: true, threads: false },
  { name: 'an isolated page whose policy allows workers', page: { ...ISOLATED, ...policy('blob:') }, isolated: true, threads: true },
];

interface Result {
  readonly error?: string;
  readonly features: { crossOriginIsolated: boolean; threads: boolean };
  readonly logits: Record<string, number[]>;
  readonly threadsOf: Record<string, number>;
  readonly pictures: Record<string, number[]>;
  readonly refused: string;
}

(existsSync(CHROMIUM) ? describe : describe.skip)(`Chromium (${CHROMIUM}; Debian's package chromium)`, () => {
  let browser: Browser;
  let server: Server;
  let headers: Record<string, string> = {};
  const expected: Record<'float32' | 'int8' | 'picture', number[]> = { float32: [], int8: [], picture: [] };

  beforeAll(async () => {
    const input: Tensor = { data: uniform(random(5), 64 * 64 * 3, -2, 2), shape: [1, 64, 64, 3] };
    const float = await LocalModel.create(fuse(randomNetwork('mobilenet_v3_small', { classes: 31, width: 0.5, resolution: 64 })));
    const int8 = await quantize(float, [input]);
    const noise = { type: 'gaussian', mean: 128, sigma: 50 } as const;
    const picture = await sharp({ create: { width: 150, height: 110, channels: 3, background: '#808080', noise } })
      .png()
      .toBuffer();
    expected.float32 = [...(await float.predict(input))];
    expected.int8 = [...(await int8.predict(input))];
    expected.picture = [...(await int8.logits(picture))];
    const { outputFiles } = await build({
      entryPoints: ['test/browsers/page.js'],
      bundle: true,
      splitting: true,
      format: 'esm',
      outdir: '/',
      write: false,
      tsconfigRaw: '{}',
    });
    const files = new Map<string, { body: Uint8Array | string; type: string }>([
      ['/', { body: '<!doctype html><script type="module" src="/page.js"></script>', type: 'text/html' }],
      ['/input', { body: new Uint8Array(input.data.buffer), type: 'application/octet-stream' }],
      ['/float32', { body: float.save(), type: 'application/octet-stream' }],
      ['/int8', { body: int8.save(), type: 'application/octet-stream' }],
      ['/picture', { body: picture, type: 'image/png' }],
      ...outputFiles.map(({ path, contents }) => [path, { body: contents, type: 'text/javascript' }] as const),
    ]);
    server = createServer((request, response) => {
      const file = files.get(request.url ?? '');
      response.writeHead(file ? 200 : 404, { 'content-type': file?.type ?? 'text/plain', ...headers });
      response.end(file?.body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const quiet = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update'];
    browser = await chromium.launch({ executablePath: CHROMIUM, args: quiet });
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  it.each(PAGES)('gives what Node gives in $name', async ({ page: pageHeaders, isolated, threads: threaded }) => {
    headers = pageHeaders;
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    let result: Result | undefined;
    while (!result) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      result = await page.evaluate(() => (globalThis as unknown as { result?: Result }).result);
    }
    await page.close();
    expect(result.error).toBeUndefined();
    expect(result.features.crossOriginIsolated).toBe(isolated);
    for (const [key, logits] of Object.entries(result.logits)) {
      const [precision, , threads] = key.split(' ') as ['float32' | 'int8', string, string];
      // One thread and no error where more are not to be had.
      expect(result.threadsOf[key]).toBe(threaded ? Number(threads) : 1);
      if (precision === 'int8') expect(logits).toEqual(expected.int8);
      else {
        const spread = Math.sqrt(expected.float32.reduce((sum, x) => sum + x * x, 0) / expected.float32.length);
        logits.forEach((x, i) => {
          expect(Math.abs(x - (expected.float32[i] as number)) / spread).toBeLessThan(1e-4);
        });
      }
    }
    // A lossless picture: every way to hold it gives the same pixels, and the same logits as in Node.
    expect(Object.keys(result.pictures)).toHaveLength(6);
    for (const logits of Object.values(result.pictures)) expect(logits).toEqual(expected.picture);
    expect(result.refused).toBe('ERR_IMAGE');
  });
});
