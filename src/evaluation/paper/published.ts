/** What the MobileNetV3 paper (arXiv 1905.02244) prints. Accuracies are of ImageNet's 50,000 validation images, in per cent. */
export interface Published {
  readonly top1?: number;
  /** In millions. */
  readonly madds?: number;
  readonly parameters?: number;
  /** Of TFLite on one large core of a Pixel 1, 2 and 3, in milliseconds. */
  readonly pixels?: readonly [number, number, number];
}

/** Table 4: top-1 of the quantized networks beside float. */
export const TABLE_4: Readonly<Record<string, { readonly float: number; readonly int8: number }>> = {
  mobilenet_v3_large: { float: 75.2, int8: 73.8 },
  mobilenet_v3_small: { float: 67.4, int8: 64.9 },
  mobilenet_v2: { float: 72.0, int8: 70.9 },
};

const row = (top1: number, madds: number, parameters: number, ...pixels: [number, number, number]): Published => ({
  top1,
  madds,
  parameters,
  pixels,
});

/** Table 3, by network and width; the minimalistic networks are the authors' model zoo's. */
export const FLOAT: Readonly<Record<string, Published>> = {
  'large 1': row(75.2, 219, 5.4, 51, 61, 44),
  'large 0.75': row(73.3, 155, 4.0, 39, 46, 40),
  'mnasnet-a1 1': row(75.2, 315, 3.9, 71, 86, 61),
  'proxyless 1': row(74.6, 320, 4.0, 72, 84, 60),
  'v2 1': row(72.0, 300, 3.4, 64, 76, 56),
  'small 1': row(67.4, 66, 2.9, 15.8, 19.4, 14.4),
  'small 0.75': row(65.4, 44, 2.4, 12.8, 15.6, 11.7),
  'mnasnet-small 1': row(64.9, 65.1, 1.9, 20.3, 24.2, 17.2),
  'v2 0.35': row(60.8, 59.2, 1.6, 16.6, 19.6, 13.9),
  'large-minimalistic 1': row(72.3, 209, 3.9, 44.1, 51, 35),
  'small-minimalistic 1': row(61.9, 65, 2.0, 12.2, 15.1, 11),
};

/** What the networks' own authors publish of them elsewhere. */
export const ELSEWHERE: Readonly<Record<string, { readonly madds: number; readonly parameters?: number; readonly where: string }>> = {
  'large 1': { madds: 217, where: "the authors' list of checkpoints, as this count" },
  'mnasnet-a1 1': { madds: 312, where: "MnasNet's own repository, as this count" },
  'mnasnet-small 1': { madds: 68, parameters: 2.0, where: "MnasNet's own repository, as this count" },
};

/** Table 4, quantized. */
export const INT8: Readonly<Record<string, Published>> = {
  'large 1': { top1: 73.8, pixels: [44, 42.5, 31.7] },
  'v2 1': { top1: 70.9, pixels: [52, 48.3, 37] },
  'small 1': { top1: 64.9, pixels: [15.5, 14.9, 10.7] },
  'v2 0.35': { top1: 57.2, pixels: [16.7, 15.6, 11.9] },
  'large-minimalistic 1': { top1: 71.3, pixels: [37, 35, 27] },
};

/** Table 5, of V3-Large on a Pixel 1: milliseconds, and those without the optimized h-swish. */
export const NONLINEARITY: Readonly<Record<string, { readonly top1: number; readonly ms: number; readonly unfused?: number }>> = {
  'large-relu': { top1: 74.5, ms: 50.5 },
  'large-hs16': { top1: 75.4, ms: 53.5, unfused: 68.9 },
  large: { top1: 75.2, ms: 51.4, unfused: 57.5 },
  'large-hs112': { top1: 75.0, ms: 51, unfused: 54.4 },
};

/** Sections 5 and 6: what the text says that an idea is worth. */
export const CLAIMS = { lastStageMs: 7, lastStageShare: 0.11, lastStageMadds: 30, stemMs: 2, stemMadds: 10, hardSwishMs: 6 } as const;
