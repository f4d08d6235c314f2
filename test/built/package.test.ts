import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, extname, join, resolve, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'esbuild';
import { fuse } from '../../src/graph/fusion.js';
import type { Tensor } from '../../src/inputs.js';
import { quantize } from '../../src/load.js';
import { localModel } from '../../src/model/local-model.js';
import { ENGINES, type OpenEngine } from '../browsers/engines.js';
import { randomNetwork } from '../random-network.js';

// The tarballs that npm would publish, as a user has them.

const execute = promisify(execFile);
const BINARY = { encoding: 'buffer' } as const;
const BIN = resolve('node_modules/.bin');
const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript' };

/** With the loader: what npm downloads, and what then lies on the disk (docs/browsers.md says why it is so much more). */
const MOST_DOWNLOADED_BYTES = 400_000;
const MOST_INSTALLED_BYTES = 1_000_000;

let folder: string;
let tarball: string;
let standalone: string;

/** Packs one of both packages, and unpacks it where an import finds it. */
async function install(name: string, from: string): Promise<string> {
  const { stdout } = await execute('npm', ['pack', from, '--ignore-scripts', '--json', '--pack-destination', folder]);
  const packed = join(folder, JSON.parse(stdout)[0].filename);
  const target = join(folder, 'node_modules', name);
  await mkdir(target, { recursive: true });
  await execute('tar', ['xzf', packed, '-C', target, '--strip-components=1']);
  return packed;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mobilenet-v3-package-'));
  tarball = await install('mobilenet-v3-wasm', '.');
  standalone = await install('mobilenet-v3-wasm-standalone', './build/standalone');
  const modules = join(folder, 'node_modules');
  await mkdir(join(modules, '@assemblyscript'), { recursive: true });
  await symlink(resolve('node_modules/@assemblyscript/loader'), join(modules, '@assemblyscript/loader'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the tarball', () => {
  it('is small', async () => {
    expect((await stat(tarball)).size).toBeLessThan(380_000);
  });

  it('has a small core, and readers, workers and quantization that only those load who need them', async () => {
    const { outputFiles, metafile } = await build({
      entryPoints: ['dist/index.js'],
      outdir: folder,
      bundle: true,
      splitting: true,
      minify: true,
      format: 'esm',
      write: false,
      metafile: true,
      tsconfigRaw: '{}',
    });
    const compressed = new Map(outputFiles.map(({ path, contents }) => [basename(path), brotliCompressSync(contents).length]));
    const chunks = new Map(Object.entries(metafile.outputs).map(([path, output]) => [basename(path), output]));
    const named = (name: string) => [...chunks.keys()].find((chunk) => chunk.startsWith(`${name}-`)) as string;
    /** A chunk with all that it imports as soon as it is loaded. */
    const withImports = (chunk: string, seen = new Set<string>()): Set<string> => {
      if (seen.has(chunk)) return seen;
      seen.add(chunk);
      for (const { path, kind } of chunks.get(chunk)?.imports ?? []) if (kind === 'import-statement') withImports(basename(path), seen);
      return seen;
    };
    const core = withImports('index.js');
    const sizeOf = (names: Iterable<string>) => [...names].reduce((sum, name) => sum + (compressed.get(name) ?? 0), 0);
    // What a page loads: one binary, of which relaxed has all ways to compute.
    const int8 = withImports(named('integers'), new Set(core));
    expect(sizeOf(int8) + sizeOf([named('relaxed')])).toBeLessThan(64 * 1024);
    expect(sizeOf(int8) + sizeOf([named('baseline')])).toBeLessThan(60 * 1024);
    expect(compressed.get(named('relaxed'))).toBeLessThan(20 * 1024);
    expect(compressed.get(named('model-worker'))).toBeLessThan(68 * 1024);
    expect([...core].filter((name) => /network|layers|graph-model|quantize|hub|worker|checkpoint|integers/.test(name))).toEqual([]);
    // Each reader with all that it may come to load, in KB (docs/weights.md); of another reader's own code nothing.
    const readers = { readTflite: 10, readTfjs: 13, readOnnx: 11, readKerasHdf5: 15, readTorch: 4, readSafetensors: 2 };
    const entryOf = (reader: string) => [...chunks].find(([, { exports }]) => exports.includes(reader))?.[0] as string;
    for (const [reader, most] of Object.entries(readers)) {
      const entry = entryOf(reader);
      const later = (chunks.get(entry)?.imports ?? []).map(({ path }) => basename(path));
      const own = [...new Set([entry, ...later].flatMap((name) => [...withImports(name)]))].filter((name) => !core.has(name));
      if (process.env['SHOW']) console.log(reader, (sizeOf(own) / 1024).toFixed(1), own.join(' '));
      expect(sizeOf(own)).toBeGreaterThan(0);
      expect(sizeOf(own)).toBeLessThan(most * 1024);
      expect(own.filter((name) => Object.keys(readers).some((other) => other !== reader && entryOf(other) === name))).toEqual([]);
      expect(core.has(entry)).toBe(false);
    }
  });

  it('is installed with the loader and nothing else, without a script, and its command line runs', async () => {
    const home = await mkdtemp(join(tmpdir(), 'mobilenet-v3-install-'));
    try {
      await writeFile(join(home, 'package.json'), '{}');
      await execute('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball], { cwd: home });
      const { packages } = JSON.parse(await readFile(join(home, 'package-lock.json'), 'utf8')) as { packages: Record<string, object> };
      expect(Object.keys(packages).sort()).toEqual(['', 'node_modules/@assemblyscript/loader', 'node_modules/mobilenet-v3-wasm']);
      expect(Object.values(packages).filter((entry) => 'hasInstallScript' in entry)).toEqual([]);
      const installed = join(home, 'node_modules');
      const files = (await readdir(installed, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
      const { stdout: loader } = await execute('tar', ['cz', '-C', join(installed, '@assemblyscript'), 'loader'], BINARY);
      expect((await stat(tarball)).size + loader.length).toBeLessThan(MOST_DOWNLOADED_BYTES);
      const sizes = await Promise.all(files.map(async (entry) => (await stat(join(entry.parentPath ?? entry.path, entry.name))).size));
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(MOST_INSTALLED_BYTES);
      for (const entry of files.filter(({ name }) => name.endsWith('.d.ts'))) {
        expect(await readFile(join(entry.parentPath ?? entry.path, entry.name), 'utf8')).not.toContain('@internal');
      }
      const { stdout } = await execute(join(installed, '.bin/mobilenet-v3'), ['inspect', 'mobilenet_v3_small']);
      expect(stdout).toContain('mobilenet_v3_small, width 1, 224x224, 1000 classes');
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  });

  it('shows an error that nobody catches, not the module that threw it', async () => {
    await writeFile(join(folder, 'uncaught.mjs'), "import { loadModel } from 'mobilenet-v3-wasm';\nawait loadModel('missing.pth');\n");
    const { stderr } = await execute('node', ['uncaught.mjs'], { cwd: folder }).catch((error: { stderr: string }) => error);
    expect(stderr).toContain('missing.pth cannot be read');
    for (const line of stderr.split('\n')) expect(line.length).toBeLessThan(250);
  });

  it('has types for a compiler that knows no Symbol.dispose, and checks them', async () => {
    await writeFile(
      join(folder, 'types.mts'),
      `import { loadModel, cosineSimilarity, type Model } from 'mobilenet-v3-wasm';
      import { loadKernels } from 'mobilenet-v3-wasm/kernels';
      import { Examples } from 'mobilenet-v3-wasm/transfer';
      import { serve } from 'mobilenet-v3-wasm/worker';
      import * as all from 'mobilenet-v3-wasm-standalone';
      import relaxed from 'mobilenet-v3-wasm-standalone/relaxed.wasm';
      export const use = async (): Promise<Model> => loadModel('file', { compiled: { relaxed }, signal: AbortSignal.timeout(1) });
      export { all, cosineSimilarity, Examples, loadKernels, serve };`,
    );
    const strict = ['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2022,dom', '--module', 'nodenext'];
    await execute(join(BIN, 'tsc'), [...strict, 'types.mts'], { cwd: folder }).catch(({ stdout }) => expect(stdout).toBe(''));
  });

  it('is, like the standalone one, what publint asks for', async () => {
    for (const file of [tarball, standalone]) await execute(join(BIN, 'publint'), ['--strict', file]);
  });

  it('has, like the standalone one, types that resolve wherever modules are', async () => {
    // It is ESM alone: what require() would find is no concern.
    for (const file of [tarball, standalone]) await execute(join(BIN, 'attw'), [file, '--profile', 'esm-only', '--no-emoji', '--no-color']);
  });
});

const [chromium] = ENGINES;
(chromium?.installed ? describe : describe.skip)(`a page (${chromium?.debianPackages})`, () => {
  const input: Tensor = { data: Float32Array.from({ length: 64 * 64 * 3 }, (_, i) => Math.sin(i)), shape: [1, 64, 64, 3] };
  let engine: OpenEngine | undefined;
  let server: Server;
  let address: string;
  let weights: Uint8Array;
  let expected: number[];

  beforeAll(async () => {
    await cp('test/built/app', folder, { recursive: true });
    const float = await localModel(fuse(randomNetwork('mobilenet_v3_small', { classes: 31, width: 0.5, resolution: 64 })));
    const model = await quantize(float, [input], { rounding: 'nearest' });
    weights = model.save();
    expected = [...(await model.predict(input))];
    // From a sub-path, as many hosts serve.
    server = createServer(async (request, response) => {
      const path = resolve(join(folder, (request.url ?? '').replace(/^\/some\/path/, '')));
      if (path.endsWith('model.safetensors')) response.end(weights);
      else if (!path.startsWith(folder + sep)) response.writeHead(404).end();
      else {
        const body = await readFile(path).catch(() => undefined);
        response.writeHead(body ? 200 : 404, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(body);
      }
    });
    await new Promise<void>((started) => server.listen(0, '127.0.0.1', started));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/some/path`;
    engine = await chromium?.open();
  });
  afterAll(async () => {
    await engine?.close();
    server?.close();
  });

  const BUNDLERS = {
    Vite: { page: 'vite/index.html', command: ['vite', 'build', '--base=./', '--outDir=vite', '--logLevel=error'] },
    'webpack 5': {
      page: 'webpack/',
      command: ['webpack', '--mode=production', '--entry=./app.js', '--output-path=webpack', '--output-filename=app.js'],
    },
    esbuild: { page: 'esbuild/', command: ['esbuild', 'app.js', '--bundle', '--format=esm', '--outdir=esbuild'] },
    'esbuild in chunks': { page: 'chunks/', command: ['esbuild', 'app.js', '--bundle', '--splitting', '--format=esm', '--outdir=chunks'] },
    Rollup: { page: 'rollup/', command: ['rollup', 'app.js', '--format=es', '--dir=rollup', '-p', 'node-resolve={browser:true}'] },
    'no bundler': { page: 'plain.html', command: undefined },
  };

  it.each(Object.entries(BUNDLERS))('by %s', async (_, { page, command }) => {
    if (command) {
      const [name, ...args] = command as [string, ...string[]];
      await execute(join(BIN, name), args, { cwd: folder });
      if (page.endsWith('/')) await cp(join(folder, 'index.html'), join(folder, page, 'index.html'));
    }
    const tab = await (engine as OpenEngine).newTab();
    await tab.goto(`${address}/${page.replace(/\/$/, '/index.html')}`);
    const result = await tab.result();
    await tab.close();
    expect(result).toEqual({
      runs: [
        { worker: false, logits: expected },
        { worker: true, logits: expected },
      ],
    });
  });
});
