import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AbortError, InputError } from '../../src/errors.js';
import { loadModel } from '../../src/load.js';
import { writeSafetensors } from '../../src/weights/safetensors.js';
import { readSafetensors } from '../../src/weights/safetensors-reader.js';
import { checkpoint, pseudoRandom } from '../pseudo-random.js';
import { networkFor, onnxModel, SHARD } from '../weights/onnx-writer.js';

// The commands that fetch and convert weights, as built, and weights by their address: against a server of our own.

const weights = writeSafetensors({ tensors: checkpoint('mobilenet_v3_small', { classes: 9, width: 0.5 }, 'timm'), metadata: {} });
const image = { data: pseudoRandom('x', 64 * 64 * 3), shape: [1, 64, 64, 3] } as const;
const onnx = onnxModel(networkFor('external'), 'external');
const REPOSITORY = 'someone/small';
const SCRIPT = '/usr/bin/script';

let folder: string;
let server: Server;
let endpoint: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mobilenet-v3-weights-'));
  const lfs = { sha256: createHash('sha256').update(weights).digest('hex'), size: weights.length };
  const info = { sha: '0'.repeat(40), siblings: [{ rfilename: 'model.safetensors', size: weights.length, lfs }] };
  server = createServer(({ url = '' }, response) => {
    if (url.startsWith(`/api/models/${REPOSITORY}/`)) response.end(JSON.stringify(info));
    else if (url.startsWith('/api/models/someone/onnx/')) {
      response.end(JSON.stringify({ ...info, siblings: ['model.onnx', SHARD].map((rfilename) => ({ rfilename })) }));
    } else if (url.endsWith('model.onnx')) response.end(onnx.file);
    else if (url.endsWith(SHARD)) response.end(onnx.shard);
    else if (url.endsWith('model.safetensors')) response.writeHead(200, { 'content-length': weights.length }).end(weights);
    else if (url === '/endless') response.write('x');
    else response.writeHead(404).end();
  });
  await new Promise<void>((started) => server.listen(0, '127.0.0.1', started));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

const run = (file: string, args: string[]) =>
  new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const env = { ...process.env, MOBILENET_V3_CACHE: join(folder, 'cache') };
    execFile(file, args, { env }, (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }));
  });
const command = (...args: string[]) => run(process.execPath, ['dist/cli/index.js', ...args]);

describe('convert', () => {
  it('writes the names that were asked for, and the same network', async () => {
    const [from, to] = [join(folder, 'timm.safetensors'), join(folder, 'torchvision.safetensors')];
    writeFileSync(from, weights);
    const { code, stdout } = await command('convert', '--weights', from, '--names', 'torchvision', '-o', to);
    expect(code).toBe(0);
    expect(stdout).toMatch(/mobilenet_v3_small, float32: .* written to/);
    const bytes = new Uint8Array(readFileSync(to));
    expect(readSafetensors(bytes).tensors.has('features.0.0.weight')).toBe(true);
    const [a, b] = [await loadModel(weights), await loadModel(bytes)];
    expect(await b.predict(image)).toEqual(await a.predict(image));
  });

  it("writes ImageNet's names into a network of its size that has none", async () => {
    const [from, to] = [join(folder, 'thousand.safetensors'), join(folder, 'named.safetensors')];
    const tensors = checkpoint('mobilenet_v3_small', { classes: 1000, width: 0.35 }, 'timm');
    writeFileSync(from, writeSafetensors({ tensors, metadata: {} }));
    expect(await command('convert', '--weights', from, '-o', to)).toMatchObject({ code: 0 });
    expect((await loadModel(to)).labels[207]).toBe('golden retriever');
  });

  it('says what it does not know', async () => {
    const { code, stderr } = await command('convert', '--weights', 'x.safetensors', '--names', 'keras', '-o', 'y');
    expect(code).toBe(2);
    expect(stderr).toMatch(/Allowed choices are torchvision, timm/);
  });
});

describe('download', () => {
  it('fetches into the cache and to a file, and needs nobody the next time', async () => {
    const copy = join(folder, 'copy.safetensors');
    const first = await command('download', `hf:${REPOSITORY}`, '--endpoint', endpoint, '-o', copy, '--json', '-');
    expect(first).toMatchObject({ code: 0 });
    expect(JSON.parse(first.stdout)).toEqual({
      source: `hf:${REPOSITORY}`,
      file: expect.stringContaining('model.safetensors'),
      bytes: weights.length,
      config: false,
    });
    expect(Buffer.compare(readFileSync(copy), weights)).toBe(0);
    const second = await command('download', `hf:${REPOSITORY}`, '--endpoint', endpoint, '--offline');
    expect(second).toMatchObject({ code: 0 });
    expect(second.stdout).toMatch(/model\.safetensors: .* MB/);
  });

  it('fetches the files that a model names with it', async () => {
    expect(await command('download', 'hf:someone/onnx', '--endpoint', endpoint)).toMatchObject({ code: 0 });
    const { stdout } = await command('inspect', join(folder, 'cache/someone/onnx', '0'.repeat(40), 'model.onnx'), '--json', '-');
    expect(JSON.parse(stdout)).toMatchObject({ classes: 9, fileBytes: onnx.file.length + onnx.shard.length });
  });

  it('fails with what to do', async () => {
    const missing = await command('download', 'hf:someone/missing', '--endpoint', endpoint);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toMatch(/someone\/missing/);
    const nowhere = await command('download', `hf:${REPOSITORY}`, '--endpoint', endpoint, '-o', '/no/such/folder/x');
    expect(nowhere.code).toBe(1);
    expect(nowhere.stderr).toMatch(/\/no\/such\/folder\/x cannot be written/);
  });

  (existsSync(SCRIPT) ? it : it.skip)('shows how far it is, on a terminal', async () => {
    const line = `${process.execPath} dist/cli/index.js download hf:${REPOSITORY}@main --endpoint ${endpoint} --offline`;
    const { stdout } = await run(SCRIPT, ['-qec', line, '/dev/null']);
    expect(stdout).toMatch(/% \|/);
    const evaluation = `${process.execPath} dist/cli/index.js compare --calibration 4 --limit 8`;
    const { stdout: shown } = await run(SCRIPT, ['-qec', evaluation, '/dev/null']);
    expect(shown).toMatch(/\d+\/\d+ \|/);
  });
});

describe('weights by their address', () => {
  it('are fetched, telling how far', async () => {
    const heard: [number, number | undefined][] = [];
    const model = await loadModel(`${endpoint}/model.safetensors`, { onProgress: (loaded, total) => heard.push([loaded, total]) });
    expect(heard.at(-1)).toEqual([weights.length, weights.length]);
    expect(model.classes).toBe(9);
  });

  it('fail as what they are', async () => {
    await expect(loadModel(`${endpoint}/missing`)).rejects.toThrow(/answered 404/);
    await expect(loadModel('http://127.0.0.1:1/model')).rejects.toThrow(InputError);
    const abort = new AbortController();
    const endless = loadModel(`${endpoint}/endless`, { signal: abort.signal });
    setTimeout(() => abort.abort(), 50);
    await expect(endless).rejects.toThrow(AbortError);
  });
});
