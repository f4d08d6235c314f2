import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync } from 'node:zlib';
import { fuse } from '../../src/graph/fusion.js';
import type { Tensor } from '../../src/inputs.js';
import { quantize } from '../../src/load.js';
import { localModel } from '../../src/model/local-model.js';
import { ENGINES, type OpenEngine } from '../browsers/engines.js';
import { randomNetwork } from '../random-network.js';

// The standalone package's one file: what a page loads that has no bundler and no import map.

const FILE = 'build/standalone/mobilenet-v3-wasm.js';
const code = readFileSync(FILE);

it('is small', () => {
  expect(code.length).toBeLessThan(302_000);
  expect(brotliCompressSync(code).length).toBeLessThan(117_000);
});

it('imports nothing and waits for nothing, so that service workers take it', () => {
  const text = code.toString();
  expect(text).not.toMatch(/\bimport\s*["'(]|\bfrom\s*["']/);
  expect(text).not.toMatch(/^await |;await /m);
});

const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };
const STRICT = {
  'content-security-policy': "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'",
};
const page = (file: string) => `
import { loadModel } from ${JSON.stringify(file)};
async function run() {
  const input = { data: Float32Array.from({ length: 64 * 64 * 3 }, (_, i) => Math.sin(i)), shape: [1, 64, 64, 3] };
  const runs = [];
  for (const threads of [1, 2]) {
    for (const worker of [false, true]) {
      const model = await loadModel('/model.safetensors', { worker, threads });
      runs.push({ threads: model.runtimeFeatures.threads, worker: model.runtimeFeatures.worker, logits: [...(await model.predict(input))] });
      model.dispose();
    }
  }
  return { runs };
}
run().then(
  (result) => { globalThis.result = result; },
  (error) => { globalThis.result = { error: String(error.stack ?? error) }; },
);`;

const servers: Server[] = [];
const files = new Map<string, { body: Uint8Array | string; type: string }>();
let headers: Record<string, string> = {};
let expected: number[];
let origins: string[];

async function listen(): Promise<string> {
  const server = createServer((request, response) => {
    const file = files.get(request.url ?? '');
    const open = { 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' };
    response.writeHead(file ? 200 : 404, { 'content-type': file?.type ?? 'text/plain', ...open, ...headers });
    response.end(file?.body);
  });
  servers.push(server);
  await new Promise<void>((started) => server.listen(0, '127.0.0.1', started));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  const input: Tensor = { data: Float32Array.from({ length: 64 * 64 * 3 }, (_, i) => Math.sin(i)), shape: [1, 64, 64, 3] };
  const float = await localModel(fuse(randomNetwork('mobilenet_v3_small', { classes: 31, width: 0.5, resolution: 64 })));
  const model = await quantize(float, [input], { rounding: 'nearest' });
  expected = [...(await model.predict(input))];
  origins = [await listen(), await listen()];
  files.set('/model.safetensors', { body: model.save(), type: 'application/octet-stream' });
  files.set('/file.js', { body: code, type: 'text/javascript' });
  files.set('/own.js', { body: page('/file.js'), type: 'text/javascript' });
  files.set('/other.js', { body: page(`${origins[1]}/file.js`), type: 'text/javascript' });
  for (const name of ['own', 'other']) {
    files.set(`/${name}.html`, { body: `<!doctype html><script type="module" src="/${name}.js"></script>`, type: 'text/html' });
  }
});
afterAll(() => {
  for (const server of servers) server.close();
});

describe.each(ENGINES)('$name (Debian: $debianPackages)', ({ installed, open }) => {
  const works = installed ? it : it.skip;
  let engine: OpenEngine;
  beforeAll(async () => {
    if (installed) engine = await open();
  });
  afterAll(() => engine?.close());

  works.each([
    { where: 'in a plain page', name: 'own', policy: {}, threads: 1 },
    { where: 'in an isolated page', name: 'own', policy: ISOLATED, threads: 2 },
    { where: 'with workers under a policy that forbids blobs', name: 'own', policy: { ...ISOLATED, ...STRICT }, threads: 2 },
    { where: 'with workers when it comes from another origin', name: 'other', policy: ISOLATED, threads: 2 },
  ])('runs $where', async ({ name, policy, threads }) => {
    headers = policy;
    const tab = await engine.newTab();
    await tab.goto(`${origins[0]}/${name}.html`);
    const result = await tab.result();
    await tab.close();
    expect(result).toEqual({
      runs: [
        { threads: 1, worker: false, logits: expected },
        { threads: 1, worker: true, logits: expected },
        { threads, worker: false, logits: expected },
        { threads, worker: true, logits: expected },
      ],
    });
  });
});
