import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { AbortError, ImageError, InputError } from '../errors.js';
import type { Pixels } from '../image/pixels.js';
import { fetchBytes } from './fetch.js';
import type { Platform, ThreadHandle } from './platform.js';

async function readBytes(source: string | URL, options: Parameters<Platform['readBytes']>[1]): Promise<Uint8Array> {
  const text = String(source);
  if (/^https?:/.test(text)) return fetchBytes(text, options);
  try {
    const bytes = await readFile(text.startsWith('file:') ? fileURLToPath(text) : text, options.signal ? { signal: options.signal } : {});
    options.onProgress?.(bytes.length, bytes.length);
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  } catch (error) {
    if (options.signal?.aborted) throw new AbortError(options.signal.reason);
    throw new InputError(`${text} cannot be read: ${(error as Error).message}.`, { cause: error });
  }
}

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

async function decodeImage(source: Parameters<Platform['decodeImage']>[0]): Promise<Pixels> {
  let input: Uint8Array;
  if (typeof source === 'string' || source instanceof URL) input = await readBytes(source, {});
  else if (source instanceof Uint8Array) input = source;
  else if (source instanceof ArrayBuffer) input = new Uint8Array(source);
  else if (source instanceof Blob) input = new Uint8Array(await source.arrayBuffer());
  else throw new InputError('an image in Node is a path, a URL, a Buffer, a Blob, or { data, width, height, channels }.');
  const decoder = (await loadSharp())(input, { failOn: 'error' });
  try {
    const { data, info } = await decoder.rotate().toColourspace('srgb').removeAlpha().raw().toBuffer({ resolveWithObject: true });
    return { data, width: info.width, height: info.height, channels: info.channels as 1 | 3 };
  } catch (cause) {
    const name = typeof source === 'string' || source instanceof URL ? `${source}` : 'the image';
    throw new ImageError(`${name} cannot be decoded: ${(cause as Error).message.trim()}.`, { cause });
  }
}

function startThread(source: string): ThreadHandle {
  const worker = new Worker(source, { eval: true });
  return {
    request: (message) =>
      new Promise((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
        worker.postMessage(message);
      }),
    unref: () => worker.unref(),
    terminate: () => void worker.terminate(),
  };
}

const platform: Platform = { readBytes, decodeImage, parallelism: availableParallelism, mainThreadMaySleep: true, startThread };
export default platform;
