import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { build, type Plugin } from 'esbuild';
import sharp from 'sharp';
import { fuse } from '../../src/graph/fusion.js';
import type { Tensor } from '../../src/inputs.js';
import { loadKernels } from '../../src/kernels/index.js';
import { quantize } from '../../src/load.js';
import { localModel } from '../../src/model/local-model.js';
import type { RuntimeFeatures } from '../../src/model/model.js';
import { random, randomNetwork, uniform } from '../random-network.js';
import { COVERAGE, ENGINES, type OpenEngine } from './engines.js';
import { runKernels } from './kernel-cases.js';

// The built package, bundled by esbuild with no configuration, in each browser: npm run build comes first (npm ci does it).

const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };
const policy = (workers: string) => ({
  'content-security-policy': `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src ${workers}`,
});
/** Threads are to be had where the page is isolated and its policy lets workers start; a worker wherever they may start. */
const PAGES = [
  { name: 'a plain page', page: {}, isolated: false, workers: true },
  { name: 'a cross-origin isolated page', page: ISOLATED, isolated: true, workers: true },
  { name: 'a page under a strict policy', page: policy("'self'"), isolated: false, workers: false },
  { name: 'an isolated page under a strict policy', page: { ...ISOLATED, ...policy("'self'") }, isolated: true, workers: false },
  { name: 'an isolated page whose policy allows workers', page: { ...ISOLATED, ...policy("blob: 'self'") }, isolated: true, workers: true },
];

interface Result {
  readonly error?: string;
  readonly features: { crossOriginIsolated: boolean; threads: boolean };
  readonly kernels: Record<string, Record<string, number[]>>;
  readonly runs: readonly {
    readonly file: string;
    readonly asked: { threads: number; worker: boolean | 'own' };
    readonly got: RuntimeFeatures;
    readonly logits: number[];
  }[];
  readonly ways: readonly {
    readonly file: string;
    readonly simd: string;
    readonly kernels: string;
    readonly got?: string;
    readonly logits?: number[];
  }[];
  readonly pictures: { readonly logits: Record<string, number[]>; readonly refused: string[] };
}

/** The largest difference in units of the expected values' standard deviation. */
function difference(actual: readonly number[], expected: readonly number[]): number {
  expect(actual).toHaveLength(expected.length);
  const mean = expected.reduce((sum, x) => sum + x, 0) / expected.length;
  const spread = Math.sqrt(expected.reduce((sum, x) => sum + (x - mean) ** 2, 0) / expected.length);
  return Math.max(...actual.map((x, i) => Math.abs(x - (expected[i] as number)))) / spread;
}

/** dist/ keeps its source maps to itself; a count of lines needs them. */
const withSourceMaps: Plugin = {
  name: 'with-source-maps',
  setup: ({ onLoad }) =>
    onLoad({ filter: /dist\/.*\.js$/ }, ({ path }) => {
      const map = existsSync(`${path}.map`) ? `\n//# sourceMappingURL=${path}.map\n` : '';
      return { contents: readFileSync(path, 'utf8') + map };
    }),
};

const files = new Map<string, { body: Uint8Array | string; type: string }>();
const expected = new Map<string, number[]>();
let kernels: Record<string, number[]>;
let server: Server;
let address: string;
let headers: Record<string, string> = {};

beforeAll(async () => {
  const input: Tensor = { data: uniform(random(5), 64 * 64 * 3, -2, 2), shape: [1, 64, 64, 3] };
  const serve = (path: string, body: Uint8Array | string, type = 'application/octet-stream') => files.set(path, { body, type });
  const noise = { type: 'gaussian', mean: 128, sigma: 50 } as const;
  const picture = await sharp({ create: { width: 150, height: 110, channels: 3, background: '#808080', noise } })
    .png()
    .toBuffer();
  for (const size of ['small', 'large'] as const) {
    const float = await localModel(fuse(randomNetwork(`mobilenet_v3_${size}`, { classes: 31, width: 0.5, resolution: 64 })));
    const int8 = await quantize(float, [input], { rounding: 'nearest' });
    for (const model of [float, int8]) {
      serve(`/${size}-${model.precision}`, model.save());
      expected.set(`${size}-${model.precision}`, [...(await model.predict(input))]);
    }
    if (size === 'small') expected.set('picture', [...(await int8.logits(picture))]);
  }
  kernels = runKernels(await loadKernels());
  serve('/', '<!doctype html><script type="module" src="/page.js"></script>', 'text/html');
  serve('/input', new Uint8Array(input.data.buffer));
  serve('/picture', picture, 'image/png');
  const counted = { sourcemap: COVERAGE ? ('inline' as const) : false, plugins: COVERAGE ? [withSourceMaps] : [] };
  const bundle = { bundle: true, splitting: true, format: 'esm', outdir: '/', write: false, tsconfigRaw: '{}', ...counted } as const;
  const { outputFiles } = await build({ entryPoints: ['test/browsers/page.js', 'test/browsers/own-worker.js'], ...bundle });
  for (const { path, contents } of outputFiles) serve(path, contents, 'text/javascript');
  server = createServer((request, response) => {
    const file = files.get(request.url ?? '');
    response.writeHead(file ? 200 : 404, { 'content-type': file?.type ?? 'text/plain', ...headers });
    response.end(file?.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => server?.close());

describe.each(ENGINES)('$name (Debian: $debianPackages)', ({ installed, open }) => {
  const conforms = installed ? it : it.skip;
  let engine: OpenEngine;
  beforeAll(async () => {
    if (installed) engine = await open();
  });
  afterAll(() => engine?.close());

  conforms.each(PAGES)('gives what Node gives in $name', async ({ page, isolated, workers }) => {
    headers = page;
    const tab = await engine.newTab();
    await tab.goto(address);
    const result = (await tab.result()) as Result;
    await tab.close();
    expect(result.error).toBeUndefined();
    expect(result.features.crossOriginIsolated).toBe(isolated);
    for (const outputs of Object.values(result.kernels)) {
      for (const [name, values] of Object.entries(kernels)) {
        if (name.endsWith('Int8')) expect([name, outputs[name]]).toEqual([name, values]);
        else expect(difference(outputs[name] as number[], values)).toBeLessThan(1e-5);
      }
    }
    expect(result.runs).toHaveLength(4 * 2 * 2 * 3);
    for (const { file, asked, got, logits } of result.runs) {
      // One thread, or no worker, and no error where more is not to be had.
      expect(got.worker).toBe(asked.worker === 'own' || (asked.worker && workers));
      expect(got.threads).toBe(isolated && workers ? asked.threads : 1);
      if (file.endsWith('int8')) expect(logits).toEqual(expected.get(file));
      else expect(difference(logits, expected.get(file) as number[])).toBeLessThan(1e-4);
    }
    // Pairs, products and planes give the same integers, and float32 sums in the same order.
    expect(result.ways.filter(({ logits }) => logits)).not.toHaveLength(0);
    for (const { file, kernels, got, logits } of result.ways) {
      if (!logits) continue; // planes, where no exact dot product is to be had
      if (kernels !== 'auto') expect(got).toBe(kernels);
      if (file.endsWith('int8')) expect(logits).toEqual(expected.get(file));
      else expect(difference(logits, expected.get(file) as number[])).toBeLessThan(1e-4);
    }
    // A lossless picture: every way to hold it gives the same pixels, and the same logits as in Node.
    for (const [name, logits] of Object.entries(result.pictures.logits)) expect([name, logits]).toEqual([name, expected.get('picture')]);
    expect(Object.keys(result.pictures.logits).length).toBeGreaterThanOrEqual(16);
    expect(result.pictures.refused).toEqual(['ERR_IMAGE', 'ERR_IMAGE']);
  });
});
