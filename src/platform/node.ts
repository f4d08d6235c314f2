import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parentPort, type TransferListItem, Worker } from 'node:worker_threads';
import { gunzipSync } from 'node:zlib';
import { instantiateSync } from '@assemblyscript/loader';
import { AbortError, ImageError, InputError } from '../errors.js';
import type { Pixels } from '../inputs.js';
import { fetchBytes } from './fetch.js';
import { buffersOf, type Cache, type Platform, type ThreadHandle } from './platform.js';

async function readBytes(source: string | URL, options: Parameters<Platform['readBytes']>[1]): Promise<Uint8Array> {
  const text = String(source);
  if (/^https?:/.test(text)) return fetchBytes(text, options);
  try {
    const bytes = await readFile(text.startsWith('file:') ? fileURLToPath(text) : text, options.signal ? { signal: options.signal } : {});
    options.onProgress?.(bytes.length, bytes.length);
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  } catch (error) {
    if (options.signal?.aborted) throw new AbortError(options.signal.reason);
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EISDIR') throw new InputError(`${text} is a folder; give a file in it, such as model.json.`, { cause: error });
    throw new InputError(`${text} cannot be read: ${message}.`, { cause: error });
  }
}

function beside(source: string | URL, name: string): string | URL {
  const text = String(source);
  return /^(https?|file):/.test(text) ? new URL(name, text) : join(dirname(text), name);
}

/** Node's own fetch knows no proxies, unless it is told to: Node 22.21 and newer, by NODE_USE_ENV_PROXY. undici is a peer, for those who need it. */
const fetchByProxy: typeof fetch = async (input, init) => {
  const { env } = process;
  const named = env['HTTPS_PROXY'] ?? env['https_proxy'] ?? env['HTTP_PROXY'] ?? env['http_proxy'];
  if (!named || env['NODE_USE_ENV_PROXY'] === '1') return fetch(input, init);
  const undici = await import('undici').catch((cause) => {
    throw new InputError(
      'downloading through a proxy needs the package "undici": npm install undici; or Node 22.21 and newer with NODE_USE_ENV_PROXY=1',
      { cause },
    );
  });
  const proxied = { ...init, dispatcher: new undici.EnvHttpProxyAgent() } as unknown as import('undici').RequestInit;
  return (await undici.fetch(String(input), proxied)) as unknown as Response;
};

async function cacheFolder(): Promise<string> {
  const own = process.env['MOBILENET_V3_CACHE'];
  if (own !== undefined) return own;
  const { default: envPaths } = await import('env-paths');
  return envPaths('mobilenet-v3-wasm', { suffix: '' }).cache;
}

async function cachePath(key: string): Promise<string> {
  const root = resolve(await cacheFolder());
  const path = resolve(root, key);
  if (!path.startsWith(root + sep)) throw new InputError(`the cache key "${key}" must be a path inside the cache folder.`);
  return path;
}

const cache: Cache = {
  read: async (key) => {
    const path = await cachePath(key);
    return readFile(path).catch(() => undefined);
  },
  write: async (key, bytes) => {
    const path = await cachePath(key);
    const unfinished = `${path}.${process.pid}-${Math.random().toString(36).slice(2)}`;
    try {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(unfinished, bytes);
      await rename(unfinished, path);
    } catch (cause) {
      await rm(unfinished, { force: true }).catch(() => undefined);
      throw new InputError(`${path} cannot be written: ${(cause as Error).message}.`, { cause });
    }
  },
  remove: async (key) => rm(await cachePath(key), { force: true }),
};

type Sharp = typeof import('sharp').default;
let sharp: Promise<Sharp> | undefined;

/** sharp is a peer: only those who decode files in Node need it. */
function loadSharp(): Promise<Sharp> {
  sharp ??= import('sharp').then(
    (module) => module.default,
    (cause) => {
      sharp = undefined;
      throw new InputError('decoding image files in Node needs the package "sharp": npm install sharp', { cause });
    },
  );
  return sharp;
}

async function decodeImage(source: Parameters<Platform['decodeImage']>[0], signal?: AbortSignal): Promise<Pixels> {
  let input: Uint8Array;
  if (typeof source === 'string' || source instanceof URL) input = await readBytes(source, signal ? { signal } : {});
  else if (source instanceof Uint8Array) input = source;
  else if (source instanceof ArrayBuffer) input = new Uint8Array(source);
  else if (source instanceof Blob) input = new Uint8Array(await source.arrayBuffer());
  else throw new InputError('an image in Node must be a path, a URL, a Buffer, a Blob, or { data, width, height, channels }.');
  const decoder = (await loadSharp())(input, { failOn: 'error' });
  try {
    const { data, info } = await decoder.rotate().toColourspace('srgb').removeAlpha().raw().toBuffer({ resolveWithObject: true });
    return { data, width: info.width, height: info.height, channels: info.channels as 1 | 3 };
  } catch (cause) {
    const name = typeof source === 'string' || source instanceof URL ? `${source}` : 'the image';
    throw new ImageError(`${name} cannot be decoded: ${(cause as Error).message.trim()}.`, { cause });
  }
}

function wrapThread(worker: Worker): ThreadHandle {
  return {
    send: (message, transfer = []) => {
      try {
        worker.postMessage(message, transfer as TransferListItem[]);
      } catch (error) {
        if ((error as Error).name !== 'DataCloneError') throw error;
        worker.postMessage(message); // Bun's sharp decodes into memory that cannot be given away: it is copied
      }
    },
    listen: (heard, failed) => {
      worker.removeAllListeners();
      worker.on('message', heard).on('error', failed).on('exit', failed);
    },
    ref: () => worker.ref(),
    unref: () => worker.unref(),
    terminate: () => void worker.terminate(),
  };
}

/** Files are decoded where they are asked for: that is off the thread in any case. */
const portable: Platform['portable'] = async (input, give, signal) => {
  if (typeof input === 'object' && 'data' in input) return { value: input, transfer: give ? buffersOf(input) : [] };
  const pixels = await decodeImage(input as Parameters<Platform['decodeImage']>[0], signal);
  return { value: pixels, transfer: buffersOf(pixels) };
};

const platform: Platform = {
  readBytes,
  // Streams and responses take Node some thirty milliseconds to load, and the asynchronous way asks for a Response.
  instantiate: (module, imports) => instantiateSync(module, imports),
  gunzip: (bytes) => new Uint8Array(gunzipSync(bytes)),
  beside,
  fetch: fetchByProxy,
  setting: (name) => process.env[name],
  cache,
  decodeImage,
  frames: async () => {
    throw new InputError(
      'watch() works on videos of a page; in Node, decode frames to { data, width, height, channels } and classify() each.',
    );
  },
  parallelism: availableParallelism,
  mainThreadMaySleep: true,
  nestsThreads: true,
  // Flags that say how to read a script, such as --input-type, are the main script's alone.
  startThread: (source) => wrapThread(new Worker(source, { eval: true, execArgv: [] })),
  startModelWorker: async () => wrapThread(new Worker(new URL('../worker/start.js', import.meta.url))),
  wrapWorker: () => {
    throw new InputError('Node does not accept a Worker of your own; use worker: true, which starts one.');
  },
  parentThread: () => ({
    send: (message, transfer) => parentPort?.postMessage(message, transfer as TransferListItem[]),
    listen: (heard) => void parentPort?.on('message', heard),
  }),
  portable,
  absolute: (source) => (source instanceof URL ? source.href : source),
};
export default platform;
