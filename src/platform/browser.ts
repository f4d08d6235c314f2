import { ImageError, InputError } from '../errors.js';
import type { Pixels } from '../inputs.js';
import { fetchBytes } from './fetch.js';
import { buffersOf, type Cache, type Platform, type ThreadHandle } from './platform.js';

async function decodeImage(source: Parameters<Platform['decodeImage']>[0], signal?: AbortSignal): Promise<Pixels> {
  let drawable: CanvasImageSource;
  let bitmap: ImageBitmap | undefined;
  if (typeof source === 'string' || source instanceof URL) {
    return decodeImage(new Blob([(await fetchBytes(source, signal ? { signal } : {})) as BlobPart]));
  }
  if (source instanceof ArrayBuffer || source instanceof Uint8Array) return decodeImage(new Blob([source as BlobPart]));
  if (source instanceof Blob) {
    try {
      bitmap = await createImageBitmap(source, { premultiplyAlpha: 'none', colorSpaceConversion: 'none' });
    } catch (cause) {
      throw new ImageError(
        'this browser cannot decode the image file; give a sound file in a format that it shows, such as PNG, JPEG or WebP.',
        { cause },
      );
    }
    drawable = bitmap;
  } else {
    drawable = source as CanvasImageSource;
  }
  const sized = drawable as unknown as Record<string, number>;
  const width = sized['naturalWidth'] ?? sized['videoWidth'] ?? sized['displayWidth'] ?? sized['width'] ?? 0;
  const height = sized['naturalHeight'] ?? sized['videoHeight'] ?? sized['displayHeight'] ?? sized['height'] ?? 0;
  if (!(width > 0 && height > 0)) throw new InputError('the image has no size yet; wait until it is loaded.');
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context)
    throw new InputError('this browser refused a 2D canvas, which reading pixels needs; give { data, width, height, channels } instead.');
  context.drawImage(drawable, 0, 0, width, height);
  bitmap?.close();
  const { data } = context.getImageData(0, 0, width, height);
  return { data, width, height, channels: 4 };
}

function wrapWorker(worker: Worker): ThreadHandle {
  return {
    send: (message, transfer = []) => worker.postMessage(message, [...transfer]),
    listen: (heard, failed) => {
      worker.onmessage = ({ data }) => heard(data);
      worker.onerror = failed; // a Content-Security-Policy without worker-src blob: among others
    },
    ref: () => undefined,
    unref: () => undefined,
    terminate: () => worker.terminate(),
  };
}

function startThread(source: string): ThreadHandle {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const worker = wrapWorker(new Worker(url));
  return {
    ...worker,
    listen: (heard, failed) => {
      // Started or not, its address has served.
      const revoked = (then: (what: unknown) => void) => (what: unknown) => {
        URL.revokeObjectURL(url);
        then(what);
      };
      worker.listen(revoked(heard), revoked(failed));
    },
  };
}

async function startModelWorker(): Promise<ThreadHandle> {
  const { default: source } = await import('../binaries/model-worker.js');
  return startThread(source);
}

/** Elements stay in the page: their pixels go. What the caller may still need is copied. */
const portable: Platform['portable'] = async (input, give) => {
  if (typeof input === 'string' || input instanceof URL) return { value: absolute(input) as string, transfer: [] };
  if (input instanceof ImageBitmap && !give) return bitmapOf(input);
  if (input instanceof ImageBitmap || input instanceof OffscreenCanvas) {
    return input instanceof ImageBitmap ? { value: input, transfer: [input] } : bitmapOf(input);
  }
  if (typeof VideoFrame !== 'undefined' && input instanceof VideoFrame) {
    const frame = give ? input : input.clone();
    return { value: frame, transfer: [frame] };
  }
  if (input instanceof Element) return bitmapOf(input as HTMLCanvasElement);
  return { value: input, transfer: give ? buffersOf(input) : [] };
};

async function bitmapOf(source: Exclude<ImageBitmapSource, Blob | ImageData>) {
  const bitmap = await createImageBitmap(source);
  return { value: bitmap, transfer: [bitmap] };
}

function absolute(source: Parameters<Platform['absolute']>[0]) {
  if (source instanceof URL) return source.href;
  return typeof source === 'string' && !source.startsWith('hf:')
    ? new URL(source, typeof document === 'undefined' ? location.href : document.baseURI).href
    : source;
}

const CACHE = 'mobilenet-v3-wasm';
/** Cache Storage keeps answers by address: these lead nowhere. It is there in pages served by https. */
const cacheAddress = (key: string) => `https://cache.invalid/${key}`;

const cache: Cache = {
  read: async (key) => {
    if (typeof caches === 'undefined') return undefined;
    const kept = await (await caches.open(CACHE)).match(cacheAddress(key));
    return kept && new Uint8Array(await kept.arrayBuffer());
  },
  write: async (key, bytes) => {
    if (typeof caches === 'undefined') return;
    await (await caches.open(CACHE)).put(cacheAddress(key), new Response(bytes as BodyInit));
  },
  remove: async (key) => {
    if (typeof caches !== 'undefined') await (await caches.open(CACHE)).delete(cacheAddress(key));
  },
};

const platform: Platform = {
  readBytes: (source, options) => fetchBytes(source, options),
  instantiate: (module, imports) => WebAssembly.instantiate(module, imports),
  gunzip: async (bytes) => {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  },
  beside: (source, name) => new URL(name, absolute(source) as string),
  fetch: (input, init) => fetch(input, init),
  setting: () => undefined,
  cache,
  decodeImage,
  frames: async (video) => (await import('./frames.js')).framesOf(video),
  parallelism: () => navigator.hardwareConcurrency ?? 1,
  mainThreadMaySleep: typeof window === 'undefined',
  nestsThreads: false,
  startThread,
  startModelWorker,
  wrapWorker,
  parentThread: () => ({
    send: (message, transfer) => self.postMessage(message, { transfer: [...transfer] }),
    listen: (heard) => {
      self.onmessage = ({ data }) => heard(data);
    },
  }),
  portable,
  absolute,
};
export default platform;
