/** How activations become integers. Weights are int8 with a scale a channel in all of them. */
export interface Scheme {
  readonly title: string;
  /** Bits of activations that have a nonlinearity behind them, and of the narrow ones between blocks, which have none. */
  readonly bits: 8 | 16;
  readonly bottleneckBits: 8 | 16;
  /** A scale a channel for what only depthwise convolutions read: it folds into that channel's multiplier. */
  readonly perChannel: boolean;
  readonly range: 'minMax' | 'percentile' | 'leastSquares';
  /** Scales of filters that minimise the squared error, and biases that make up for what rounding shifts. */
  readonly refined: boolean;
  /** Filters that are rounded for the least error of each layer's output (refine.ts). */
  readonly compensated?: boolean;
  /** 16 bits for what has one pixel: squeezed channels, pooled features. Means of many values are finer than each. */
  readonly wideVectors?: boolean;
  /** Names of tensors that have 16 bits where others have 8. */
  readonly wide?: ReadonlySet<string>;
}

/** From what TFLite's and onnxruntime's converters do to what this package does: one idea a step. */
export const SCHEMES = {
  perTensor: { title: '8 bits, one scale a tensor', bits: 8, bottleneckBits: 8, perChannel: false, range: 'minMax', refined: false },
  leastSquares: {
    title: '+ ranges by least squares',
    bits: 8,
    bottleneckBits: 8,
    perChannel: false,
    range: 'leastSquares',
    refined: false,
  },
  perChannel: {
    title: '+ a scale a channel before depthwise',
    bits: 8,
    bottleneckBits: 8,
    perChannel: true,
    range: 'leastSquares',
    refined: false,
  },
  bottleneck: {
    title: '+ 16 bits in the bottleneck',
    bits: 8,
    bottleneckBits: 16,
    perChannel: true,
    range: 'leastSquares',
    refined: false,
  },
  wide: { title: '+ 16-bit lanes everywhere', bits: 16, bottleneckBits: 16, perChannel: true, range: 'minMax', refined: false },
  refined: { title: '+ refined filters and biases', bits: 16, bottleneckBits: 16, perChannel: true, range: 'minMax', refined: true },
  best: {
    title: "+ rounding for the output's error",
    bits: 16,
    bottleneckBits: 16,
    perChannel: true,
    range: 'minMax',
    refined: true,
    compensated: true,
  },
  eight: {
    title: '8-bit activations again, with all of this',
    bits: 8,
    bottleneckBits: 8,
    perChannel: true,
    range: 'leastSquares',
    refined: true,
    compensated: true,
    wideVectors: true,
  },
} as const satisfies Record<string, Scheme>;

export type SchemeName = keyof typeof SCHEMES;
export const SCHEME_NAMES = Object.keys(SCHEMES) as SchemeName[];
