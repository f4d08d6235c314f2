import { ShapeError } from '../errors.js';

/** Decoded pixels: 8 bits a channel, row by row; channels 1 (grey), 3 (RGB) or 4 (RGBA, alpha is left out). */
export interface Pixels {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3 | 4;
}

/** What people hold: pixels, anything a canvas can draw, an encoded file, and in Node a path. */
export type ImageSource =
  | Pixels
  | ImageData
  | ImageBitmap
  | HTMLImageElement
  | HTMLVideoElement
  | HTMLCanvasElement
  | OffscreenCanvas
  | VideoFrame
  | Blob
  | Uint8Array
  | ArrayBuffer
  | string
  | URL;

/** Checks raw pixels; ImageData, which carries no channel count, has four. */
export function checkPixels(source: Omit<Pixels, 'channels'> & { channels?: number }): Pixels {
  const { data, width, height, channels = 4 } = source;
  const whole = [width, height].every((side) => Number.isInteger(side) && side > 0);
  if (!whole || (channels !== 1 && channels !== 3 && channels !== 4)) {
    throw new ShapeError(`an image of ${width}x${height} pixels and ${channels} channels cannot be; channels are 1, 3 or 4.`);
  }
  if (data.length !== width * height * channels) {
    throw new ShapeError(
      `${width}x${height} pixels of ${channels} channels are ${width * height * channels} bytes; ${data.length} were given.`,
    );
  }
  return { data, width, height, channels };
}

export const isPixels = (source: unknown): source is Pixels | ImageData =>
  typeof source === 'object' && source !== null && 'data' in source && 'width' in source && ArrayBuffer.isView((source as Pixels).data);
