import type { Activation, Padding } from '../graph/graph.js';
import type { Tensor } from '../inputs.js';

export type { Tensor };

/** real = scale * (q - zeroPoint); an array has one entry a channel. */
export interface QuantParams {
  readonly dtype: 'int8' | 'uint8';
  readonly scale: number | Float32Array;
  readonly zeroPoint: number | Int32Array;
}

/** A quantized tensor, [n, h, w, c]; real = scale * (q - zeroPoint). */
export interface QTensor {
  readonly data: Int8Array | Uint8Array;
  readonly shape: readonly [n: number, h: number, w: number, c: number];
  readonly scale: number | Float32Array;
  readonly zeroPoint: number | Int32Array;
}

/** A quantized filter, [kernelHeight, kernelWidth, inputChannels / groups, outputChannels]; arrays go by output channel. */
export interface QFilter {
  readonly data: Int8Array | Uint8Array;
  readonly shape: readonly [kh: number, kw: number, inputs: number, outputs: number];
  readonly scale: number | Float32Array;
  /** 0 where it is left out. */
  readonly zeroPoint?: number | Int32Array;
}

export interface ConvOptions {
  /** One an output channel. An Int32Array is in units of input scale x filter scale, a Float32Array in real units. */
  readonly bias?: Float32Array | Int32Array;
  /** [1, 1] where it is left out. */
  readonly strides?: readonly [height: number, width: number];
  /** 'same' (TensorFlow's: the odd pixel goes bottom and right) where it is left out. */
  readonly padding?: Padding;
  /** 1, or inputChannels: a depthwise convolution. */
  readonly groups?: number;
  readonly activation?: Activation;
}

export interface DenseLayer {
  /** [1, 1, inputs, outputs] */
  readonly filter: Tensor;
  readonly bias?: Float32Array;
}

export interface QDenseLayer {
  /** [1, 1, inputs, outputs] */
  readonly filter: QFilter;
  readonly bias?: Float32Array | Int32Array;
  /** The layer's own output, if a converter fixed how it is quantized; otherwise it keeps 16 bits. */
  readonly output?: QuantParams;
}
