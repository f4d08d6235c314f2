// What callers hand in: types alone.

/** NHWC, row-major. As a network's input c is 3 and the values are normalised. */
export interface Tensor {
  readonly data: Float32Array;
  readonly shape: readonly [n: number, h: number, w: number, c: number];
}

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

/** A rectangle in pixels, from the left and the top of the image that was given. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Which part of an image is looked at, and which way up: the region is taken first, then turned. */
export interface Framing {
  /** Inside the image; edges between pixels go to the nearest. The whole image where it is left out. */
  readonly regionOfInterest?: Box;
  /** Clockwise: what the picture must be turned by to stand upright. 0 where it is left out. */
  readonly rotationDegrees?: 0 | 90 | 180 | 270;
}

/** An image, or a tensor that is normalised already. */
export type ModelInput = ImageSource | Tensor;

/** A path (Node), a URL, 'hf:owner/repository' with '@revision' and '/file' if need be, bytes, or all the files of a model. */
export type ModelSource = string | URL | ArrayBuffer | Uint8Array | Blob | readonly File[];
