import { ImageError, InputError } from '../errors.js';
import type { Pixels } from '../image/pixels.js';
import { fetchBytes } from './fetch.js';
import type { Platform, ThreadHandle } from './platform.js';

async function decodeImage(source: Parameters<Platform['decodeImage']>[0]): Promise<Pixels> {
  let drawable: CanvasImageSource;
  let bitmap: ImageBitmap | undefined;
  if (typeof source === 'string' || source instanceof URL) return decodeImage(new Blob([(await fetchBytes(source, {})) as BlobPart]));
  if (source instanceof ArrayBuffer || source instanceof Uint8Array) return decodeImage(new Blob([source as BlobPart]));
  if (source instanceof Blob) {
    try {
      bitmap = await createImageBitmap(source, { premultiplyAlpha: 'none', colorSpaceConversion: 'none' });
    } catch (cause) {
      throw new ImageError('the file is no image that this browser can decode.', { cause });
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
  if (!context) throw new InputError('this browser gives no 2D canvas to read pixels with.');
  context.drawImage(drawable, 0, 0, width, height);
  bitmap?.close();
  const { data } = context.getImageData(0, 0, width, height);
  return { data, width, height, channels: 4 };
}

function startThread(source: string): ThreadHandle {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const worker = new Worker(url);
  return {
    request: (message) =>
      new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = reject; // a Content-Security-Policy without worker-src blob:
        worker.postMessage(message);
      }).finally(() => URL.revokeObjectURL(url)),
    unref: () => undefined,
    terminate: () => worker.terminate(),
  };
}

const platform: Platform = {
  readBytes: (source, options) => fetchBytes(source, options),
  decodeImage,
  parallelism: () => navigator.hardwareConcurrency ?? 1,
  mainThreadMaySleep: typeof window === 'undefined',
  startThread,
};
export default platform;
