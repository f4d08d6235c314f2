import type { NetworkName, Precision } from './result';

/**
 * Milliseconds of one image at 224x224 on a Pixel 1, 2 and 3, one large core: the MobileNetV3 paper (arXiv 1905.02244 v5), Table 3 for
 * float32 and Table 4 for int8, which there is uint8 by TFLite.
 */
export const PIXELS: Readonly<Record<NetworkName, Readonly<Record<Precision, readonly [number, number, number]>>>> = {
  mobilenet_v3_small: { float32: [15.8, 19.4, 14.4], int8: [15.5, 14.9, 10.7] },
  mobilenet_v3_large: { float32: [51, 61, 44], int8: [44, 42.5, 31.7] },
};
