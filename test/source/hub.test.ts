import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { loadModel } from '../../src/load.js';
import { fileAddress, HUB, infoAddress, parseHubSource } from '../../src/source/addresses.js';
import { fetchFromHub } from '../../src/source/hub.js';
import { writeSafetensors } from '../../src/weights/safetensors.js';
import { checkpoint, pseudoRandom } from '../pseudo-random.js';
import { networkFor, onnxModel, SHARD } from '../weights/onnx-writer.js';

// A server that behaves as the hub does: the description of a repository, files that redirect to another address, ranges.

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const REPOSITORY = 'timm/mobilenetv3_small_050.lamb_in1k';
const weights = writeSafetensors({ tensors: checkpoint('mobilenet_v3_small', { classes: 9, width: 0.5 }, 'timm'), metadata: {} });
const config = JSON.stringify({
  architecture: 'mobilenetv3_small_050',
  pretrained_cfg: { mean: [0.5, 0.4, 0.3], std: [0.2, 0.2, 0.2], crop_pct: 0.95, interpolation: 'bicubic' },
  label_names: Array.from({ length: 9 }, (_, i) => `name ${i}`),
});
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

type Handler = (request: IncomingMessage, response: ServerResponse, path: string) => boolean;

let server: Server;
let endpoint: string;
let folder: string;
let requests: { path: string; range: string | undefined; authorization: string | undefined }[] = [];
/** What goes wrong; true when it has answered. */
let trouble: Handler = () => false;
let info: () => unknown;
const content = new Map<string, Uint8Array>();

beforeAll(async () => {
  server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '', 'http://localhost').pathname);
    requests.push({ path, range: request.headers.range, authorization: request.headers.authorization });
    if (trouble(request, response, path)) return;
    if (path === `/api/models/${REPOSITORY}/revision/main`) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(info()));
      return;
    }
    const resolved = /\/resolve\/[^/]+\/(.+)$/.exec(path)?.[1];
    // Large files lie elsewhere.
    if (resolved?.endsWith('.safetensors') && content.has(resolved)) {
      response.writeHead(302, { location: `/cdn/${resolved}`, etag: '"whole"' }).end();
      return;
    }
    const bytes = content.get(resolved ?? path.replace('/cdn/', ''));
    if (!bytes) {
      response.writeHead(404).end();
      return;
    }
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': bytes.length - from, 'accept-ranges': 'bytes' }).end(bytes.subarray(from));
  });
  await new Promise<void>((started) => server.listen(0, '127.0.0.1', started));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mobilenet-v3-hub-'));
  process.env['MOBILENET_V3_CACHE'] = folder;
  content.set('model.safetensors', weights);
  content.set('config.json', new TextEncoder().encode(config));
  requests = [];
  trouble = () => false;
  info = () => ({
    sha: COMMIT,
    siblings: [
      { rfilename: '.gitattributes', size: 10 },
      { rfilename: 'config.json', size: config.length },
      { rfilename: 'model.safetensors', size: weights.length, lfs: { sha256: sha256(weights), size: weights.length } },
    ],
  });
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  delete process.env['MOBILENET_V3_CACHE'];
  delete process.env['HF_TOKEN'];
});

const get = (source = `hf:${REPOSITORY}`, more: { offline?: boolean; token?: string } = {}, signal?: AbortSignal) =>
  fetchFromHub(source, { endpoint, ...more }, { patience: 0, signal });
const isCdn = (path: string) => path.startsWith('/cdn/');
const files = () =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .sort();

it('loads a model, its preprocessing and its labels', async () => {
  const progress: number[] = [];
  const model = await loadModel(`hf:${REPOSITORY}`, { hub: { endpoint }, onProgress: (loaded) => progress.push(loaded) });
  expect(model).toMatchObject({ architecture: 'mobilenet_v3_small', classes: 9 });
  expect(model.preprocessing).toEqual({ mean: [0.5, 0.4, 0.3], std: [0.2, 0.2, 0.2], crop: 0.95, interpolation: 'bicubic' });
  expect(model.labels[3]).toBe('name 3');
  expect(progress.at(-1)).toBe(weights.length);
  const image = { data: pseudoRandom('x', 64 * 64 * 3), shape: [1, 64, 64, 3] } as const;
  expect(await model.predict(image)).toEqual(await (await loadModel(weights)).predict(image));
});

it('knows what tf_ networks are from their config', async () => {
  const image = { data: pseudoRandom('x', 64 * 64 * 3), shape: [1, 64, 64, 3] } as const;
  const own = await (await loadModel(weights)).predict(image);
  content.set('config.json', new TextEncoder().encode(config.replace('"mobilenetv3', '"tf_mobilenetv3')));
  info = () => ({ sha: COMMIT, siblings: [{ rfilename: 'config.json' }, { rfilename: 'model.safetensors' }] });
  const model = await loadModel(`hf:${REPOSITORY}`, { hub: { endpoint } });
  expect(await model.predict(image)).not.toEqual(own);
  expect(() => model.save({ names: 'timm' })).toThrow(/pads/);
});

it('fetches the file in which an ONNX model keeps its tensors, and has it offline', async () => {
  const { file, shard } = onnxModel(networkFor('external'), 'external');
  const paths = ['onnx/model.onnx', `onnx/${SHARD}`];
  content.set(paths[0] as string, file).set(paths[1] as string, shard);
  info = () => ({ sha: COMMIT, siblings: paths.map((rfilename) => ({ rfilename })) });
  for (const offline of [false, true]) {
    const progress: number[] = [];
    const model = await loadModel(`hf:${REPOSITORY}`, { hub: { endpoint, offline }, onProgress: (loaded) => progress.push(loaded) });
    expect(model).toMatchObject({ architecture: 'mobilenet_v3_small', classes: 9 });
    expect(progress.at(-1)).toBe(file.length + shard.length);
  }
  info = () => ({ sha: COMMIT, siblings: [{ rfilename: 'onnx/model.onnx' }] });
  await expect(loadModel(`hf:${REPOSITORY}`, { hub: { endpoint } })).rejects.toThrow(`has no onnx/${SHARD}; it has onnx/model.onnx.`);
});

it('asks the real hub at these addresses', () => {
  expect(infoAddress(HUB, 'timm/x', 'main')).toBe('https://huggingface.co/api/models/timm/x/revision/main?blobs=true');
  expect(fileAddress(HUB, 'timm/x', COMMIT, 'a b/c.bin')).toBe(`https://huggingface.co/timm/x/resolve/${COMMIT}/a%20b/c.bin`);
});

it('keeps what it fetched, whole, and asks for the description alone the next time', async () => {
  await get();
  expect(files()).toEqual(['config.json', 'main.json', 'model.safetensors']);
  requests = [];
  expect(sha256((await get()).bytes)).toBe(sha256(weights));
  expect(requests.map(({ path }) => path)).toEqual([`/api/models/${REPOSITORY}/revision/main`]);
});

it('works offline with what the cache holds, and says what it does not', async () => {
  await expect(get(undefined, { offline: true })).rejects.toThrow(/never downloaded/);
  await get();
  requests = [];
  expect((await get(undefined, { offline: true })).bytes.length).toBe(weights.length);
  expect(requests).toEqual([]);
  await expect(get(`hf:${REPOSITORY}/.gitattributes`, { offline: true })).rejects.toThrow(/not in the cache/);
});

it('goes on where a connection was cut', async () => {
  let cuts = 2;
  trouble = (request, response, path) => {
    if (!isCdn(path) || cuts-- <= 0) return false;
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': weights.length - from });
    response.write(weights.subarray(from, from + 1000), () => response.destroy());
    return true;
  };
  expect(sha256((await get()).bytes)).toBe(sha256(weights));
  const ranges = requests.filter(({ path }) => isCdn(path)).map(({ range }) => range);
  expect(ranges[0]).toBeUndefined();
  expect(ranges.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range ?? ''))).toBe(true);
});

it('keeps what it got of a file that never came whole, and goes on from there the next time', async () => {
  trouble = (_, response, path) => {
    if (!isCdn(path)) return false;
    response.writeHead(200, { 'content-length': weights.length });
    response.write(weights.subarray(0, 5000), () => response.destroy());
    return true;
  };
  await expect(get()).rejects.toThrow(/could not be downloaded in 5 tries/);
  expect(files()).toContain('model.safetensors.partial');
  trouble = () => false;
  requests = [];
  expect(sha256((await get()).bytes)).toBe(sha256(weights));
  expect(requests.find(({ path }) => isCdn(path))?.range).toMatch(/^bytes=\d+-$/);
  expect(files()).not.toContain('model.safetensors.partial');
});

it.each([429, 500, 503])('tries again after %i', async (status) => {
  let left = 2;
  trouble = (_, response, path) => {
    if (!isCdn(path) || left-- <= 0) return false;
    response.writeHead(status, { 'retry-after': '0' }).end();
    return true;
  };
  expect((await get()).bytes.length).toBe(weights.length);
});

it.each([
  [401, /needs a token/],
  [403, /needs a token/],
  [404, /does not exist/],
  [400, /answered 400/],
])('says what %i means, at once', async (status, message) => {
  trouble = (_, response) => {
    response.writeHead(status).end();
    return true;
  };
  await expect(get()).rejects.toThrow(message);
  expect(requests).toHaveLength(1);
});

it('gives the token to the hub, and not to where it redirects', async () => {
  const other = createServer((_, response) => response.writeHead(200, { 'content-length': weights.length }).end(weights));
  const seen: (string | undefined)[] = [];
  other.on('request', ({ headers }) => seen.push(headers.authorization));
  await new Promise<void>((started) => other.listen(0, '127.0.0.1', started));
  trouble = (_, response, path) => {
    if (!path.endsWith('/model.safetensors')) return false;
    response.writeHead(302, { location: `http://localhost:${(other.address() as AddressInfo).port}/` }).end();
    return true;
  };
  process.env['HF_TOKEN'] = 'secret';
  await get();
  other.close();
  expect(requests.every(({ authorization }) => authorization === 'Bearer secret')).toBe(true);
  expect(seen).toEqual([undefined]);
});

it('refuses a file whose checksum is wrong, and does not keep it', async () => {
  const damaged = weights.slice();
  damaged[5000] = (damaged[5000] as number) ^ 1;
  content.set('model.safetensors', damaged);
  await expect(get()).rejects.toThrow(/SHA-256/);
  expect(files()).toEqual([]);
});

it('fetches again what was damaged in the cache', async () => {
  const { key } = await get();
  writeFileSync(join(folder, key), 'damaged');
  expect(sha256((await get()).bytes)).toBe(sha256(weights));
  expect(sha256(readFileSync(join(folder, key)))).toBe(sha256(weights));
});

it('takes no more bytes than the file has', async () => {
  content.set('model.safetensors', Buffer.concat([weights, weights]));
  await expect(get()).rejects.toThrow(/more than the \d+ bytes/);
});

it.each([
  ['no JSON', 'x'],
  ['no commit', { siblings: [] }],
  ['a commit that is a path', { sha: '../../x', siblings: [] }],
  ['no list', { sha: COMMIT, siblings: 5 }],
  ['names that are none', { sha: COMMIT, siblings: [{ rfilename: 5 }] }],
])('does not believe a description with %s', async (_, answer) => {
  info = () => answer;
  await expect(get()).rejects.toThrow(/no description/);
});

it('says what a repository has instead', async () => {
  await expect(get(`hf:${REPOSITORY}/other.bin`)).rejects.toThrow(/has no other.bin; it has .gitattributes, config.json/);
  info = () => ({ sha: COMMIT, siblings: [{ rfilename: 'README.md' }] });
  await expect(get()).rejects.toThrow(/no weights file/);
});

it('lets no name lead out of the cache', async () => {
  for (const rfilename of [
    '../../evil.safetensors',
    '/etc/evil.safetensors',
    'a/../../../../evil.safetensors',
    'a\\..\\evil.safetensors',
  ]) {
    content.set(rfilename, weights);
    info = () => ({ sha: COMMIT, siblings: [{ rfilename }] });
    await expect(get()).rejects.toThrow(/refused/);
  }
  expect(files()).toEqual([]);
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('.', '/', '@', 'a', '-', '\\', '%', ':') }), (text) => {
      const parsed = parseHubSource(`hf:${text}`);
      if (!parsed) return;
      for (const part of [parsed.repository, parsed.revision, parsed.file ?? '']) expect(part.split(/[/\\]/)).not.toContain('..');
    }),
    { numRuns: 2000 },
  );
});

it.each([
  'hf:',
  'hf:timm',
  'hf:../x',
  'hf:a/..',
  'hf:a/b/../c',
  'hf:a/b@../c',
  'hf:a b/c',
  'hf:a/b?x',
])('takes no %s for an address', async (source) => {
  await expect(get(source)).rejects.toThrow(/no address on the hub/);
});

it('stops when told to', async () => {
  const abort = new AbortController();
  trouble = (_, response, path) => {
    if (!isCdn(path)) return false;
    response.writeHead(200, { 'content-length': weights.length });
    response.write(weights.subarray(0, 100));
    setTimeout(() => abort.abort(), 20);
    return true;
  };
  await expect(get(undefined, {}, abort.signal)).rejects.toMatchObject({ code: 'ERR_ABORTED' });
});

it('gives the weights even where nothing can be kept, and says so', async () => {
  // A file where the cache folder should be: as a disk that is full, it cannot be written.
  process.env['MOBILENET_V3_CACHE'] = join(folder, 'file');
  writeFileSync(join(folder, 'file'), '');
  chmodSync(join(folder, 'file'), 0o444);
  const { bytes, cacheError } = await get();
  expect(bytes.length).toBe(weights.length);
  expect(cacheError).toMatchObject({ code: 'ERR_INPUT', message: expect.stringContaining('cannot be written') });
  expect(existsSync(join(folder, 'file', 'timm'))).toBe(false);
});

it('goes by the proxy that the environment names', async () => {
  const tunnels: (string | undefined)[] = [];
  const proxy = createServer();
  proxy.on('connect', (request, client, head) => {
    tunnels.push(request.url);
    const [host, port] = (request.url ?? '').split(':');
    const target = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      target.write(head);
      target.pipe(client).pipe(target);
    });
    for (const socket of [client, target]) socket.on('error', () => target.destroy());
  });
  await new Promise<void>((started) => proxy.listen(0, '127.0.0.1', started));
  process.env['HTTP_PROXY'] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  try {
    expect(sha256((await get()).bytes)).toBe(sha256(weights));
    expect(new Set(tunnels)).toEqual(new Set([endpoint.replace('http://', '')]));
  } finally {
    delete process.env['HTTP_PROXY'];
    proxy.closeAllConnections();
    proxy.close();
  }
});
