import { ShapeError } from '../errors.js';
import type { ModelInput, Pixels, Tensor } from '../inputs.js';

/** Checks raw pixels; ImageData, which carries no channel count, has four. */
export function checkPixels(source: Omit<Pixels, 'channels'> & { channels?: number }): Pixels {
  const { data, width, height, channels = 4 } = source;
  const whole = [width, height].every((side) => Number.isInteger(side) && side > 0);
  if (!whole || (channels !== 1 && channels !== 3 && channels !== 4)) {
    throw new ShapeError(
      `an image's width and height must be whole numbers above 0, its channels 1, 3 or 4; got ${width}x${height} and ${channels} channels.`,
    );
  }
  if (data.length !== width * height * channels) {
    throw new ShapeError(`${width}x${height} pixels of ${channels} channels need ${width * height * channels} bytes; got ${data.length}.`);
  }
  return { data, width, height, channels };
}

export const isPixels = (source: unknown): source is Pixels | ImageData =>
  typeof source === 'object' && source !== null && 'data' in source && 'width' in source && ArrayBuffer.isView((source as Pixels).data);

export const isTensor = (input: ModelInput): input is Tensor =>
  typeof input === 'object' && 'shape' in input && Array.isArray(input.shape) && (input as Tensor).data instanceof Float32Array;
