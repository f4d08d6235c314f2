import { type ConvNode, isDepthwise, resolvePadding } from '../graph/graph.js';
import type { Lanes } from '../graph/lanes.js';
import type { PieceRunner, Values } from './piece.js';
import { snap } from './snap.js';

/** Samples that are multiplied at once. */
const BATCH = 64;
/** Channels that lie in one line of the cache: they are read together. */
const TOGETHER = 16;

/** What a filter is multiplied with, of a dense convolution, or of one channel of a depthwise one. */
export interface InputMoments {
  /** Mean of the input that earlier layers' rounding gives. */
  readonly mean: Float64Array;
  /** Mean of what the float input is above that. */
  readonly meanDrift: Float64Array;
  /** [size, size]: its covariance. */
  readonly covariance: Float64Array;
  /** [size, size]: E[drift x input'], centered. */
  readonly drift: Float64Array;
}

/**
 * Means and covariances of what a convolution's filter is multiplied with, a window of its input: all that is needed to
 * tell what error a change of the filter makes. Two inputs side by side: the one that earlier layers' rounding gives, and
 * how far the float one is from it ("drift").
 *
 * Streamed: memory does not depend on the number of images. Products are made in float32 by the baseline kernels (dense)
 * or in float64 here (depthwise), in a fixed order: the same images give the same bits everywhere. Values are taken
 * relative to the first window, so that a large mean costs no digits.
 */
export class Covariance {
  /** Values of a window. */
  readonly size: number;
  /** Filters of their own: 1, or the channels of a depthwise convolution. */
  readonly count: number;
  private readonly origin: Float64Array;
  private readonly sums: Float64Array;
  private readonly driftSums: Float64Array;
  private readonly products: Float64Array;
  private readonly driftProducts: Float64Array;
  /** Windows that are not in the sums yet, [BATCH][count x size]. */
  private readonly inputs: Float32Array;
  private readonly drifts: Float32Array;
  private filled = 0;
  private samples = 0;

  /**
   * @param perImage at most about so many windows of an image are looked at, evenly spread
   * @param lanes that the rounded input is in; left out, it is taken as it is
   */
  constructor(
    private readonly node: ConvNode,
    private readonly perImage: number,
    private readonly lanes?: Lanes,
  ) {
    const window = node.kernel[0] * node.kernel[1];
    this.count = isDepthwise(node) ? node.channels : 1;
    this.size = isDepthwise(node) ? window : window * node.inputChannels;
    const values = this.count * this.size;
    this.origin = new Float64Array(values);
    this.sums = new Float64Array(values);
    this.driftSums = new Float64Array(values);
    this.products = new Float64Array(values * this.size);
    this.driftProducts = new Float64Array(values * this.size);
    this.inputs = new Float32Array(values * BATCH);
    this.drifts = new Float32Array(values * BATCH);
  }

  /** Adds an image's windows; `image` is its number, so that windows of different images lie at different places. */
  add(runner: PieceRunner, rounded: Values, float: Values, image: number): void {
    const { kernel, strides } = this.node;
    const [height, width, channels] = rounded.shape;
    const [top, bottom, left, right] = resolvePadding(this.node.padding, [height, width], kernel, strides);
    const outWidth = Math.floor((width + left + right - kernel[1]) / strides[1]) + 1;
    const pixels = outWidth * (Math.floor((height + top + bottom - kernel[0]) / strides[0]) + 1);
    let step = Math.ceil(pixels / this.perImage);
    // A step that shares no factor with the width visits all columns.
    while (commonDivisor(step, outWidth) > 1) step++;
    for (let pixel = image % step; pixel < pixels; pixel += step) {
      const y = Math.floor(pixel / outWidth) * strides[0] - top;
      const x = (pixel % outWidth) * strides[1] - left;
      const first = this.filled * this.origin.length;
      let to = first;
      for (let ky = 0; ky < kernel[0]; ky++) {
        for (let kx = 0; kx < kernel[1]; kx++, to += channels) {
          const inside = y + ky >= 0 && y + ky < height && x + kx >= 0 && x + kx < width;
          const from = ((y + ky) * width + x + kx) * channels;
          for (let c = 0; c < channels; c++) {
            this.inputs[to + c] = inside ? (rounded.data[from + c] as number) : 0;
            this.drifts[to + c] = inside ? (float.data[from + c] as number) : 0;
          }
        }
      }
      if (this.lanes) snap(this.inputs.subarray(first, to), this.lanes);
      for (let at = first; at < to; at++) this.drifts[at] = (this.drifts[at] as number) - (this.inputs[at] as number);
      if (this.samples + this.filled === 0) this.origin.set(this.inputs.subarray(0, this.origin.length));
      if (++this.filled === BATCH) this.flush(runner);
    }
  }

  private flush(runner: PieceRunner): void {
    const { inputs, drifts, origin, sums, driftSums, filled } = this;
    const values = this.count * this.size;
    if (filled === 0) return;
    for (let sample = 0, at = 0; sample < filled; sample++) {
      for (let i = 0; i < values; i++, at++) {
        const value = (inputs[at] as number) - (origin[i] as number);
        inputs[at] = value;
        sums[i] = (sums[i] as number) + value;
        driftSums[i] = (driftSums[i] as number) + (drifts[at] as number);
      }
    }
    if (this.count === 1) this.multiplyDense(runner);
    else this.multiplyDepthwise();
    this.samples += filled;
    this.filled = 0;
  }

  private multiplyDense(runner: PieceRunner): void {
    const { inputs, drifts, size, filled, products, driftProducts } = this;
    const transposed = new Float32Array(2 * size * filled);
    for (let sample = 0; sample < filled; sample++) {
      for (let i = 0; i < size; i++) {
        transposed[i * filled + sample] = inputs[sample * size + i] as number;
        transposed[(size + i) * filled + sample] = drifts[sample * size + i] as number;
      }
    }
    const product = runner.product(transposed, inputs.subarray(0, filled * size), filled);
    for (let i = 0; i < size * size; i++) {
      products[i] = (products[i] as number) + (product[i] as number);
      driftProducts[i] = (driftProducts[i] as number) + (product[size * size + i] as number);
    }
  }

  /** Channels are innermost in a window: [sample][tap][channel]. */
  private multiplyDepthwise(): void {
    const { inputs, drifts, size, count, filled, products, driftProducts } = this;
    const all = size * filled;
    const [a, d] = [new Float64Array(TOGETHER * all), new Float64Array(TOGETHER * all)];
    for (let first = 0; first < count; first += TOGETHER) {
      const channels = Math.min(TOGETHER, count - first);
      for (let i = 0; i < size; i++) {
        for (let sample = 0; sample < filled; sample++) {
          const from = (sample * size + i) * count + first;
          for (let c = 0, to = i * filled + sample; c < channels; c++, to += all) {
            a[to] = inputs[from + c] as number;
            d[to] = drifts[from + c] as number;
          }
        }
      }
      for (let c = 0; c < channels; c++) {
        const [x, drift] = [a, d].map((values) => values.subarray(c * all, (c + 1) * all)) as [Float64Array, Float64Array];
        const into = (first + c) * size * size;
        addProducts(x, x, size, filled, true, products, into);
        addProducts(drift, x, size, filled, false, driftProducts, into);
      }
    }
  }

  /** Channels of the input. */
  get inputChannels(): number {
    return this.node.inputChannels;
  }

  /** Windows seen. */
  get seen(): number {
    return this.samples + this.filled;
  }

  /** Of the filter of channel `index`, for a depthwise convolution. */
  moments(runner: PieceRunner, index = 0): InputMoments {
    this.flush(runner);
    const { size, count, samples, origin } = this;
    // Of a window's values, [tap][channel] where there are several filters.
    const own = (values: Float64Array) => Float64Array.from({ length: size }, (_, i) => values[i * count + index] as number);
    const shift = own(this.sums).map((sum) => sum / samples);
    const meanDrift = own(this.driftSums).map((sum) => sum / samples);
    const centered = (all: Float64Array, rows: Float64Array) => {
      const result = new Float64Array(size * size);
      for (let i = 0, at = index * size * size; i < size; i++) {
        for (let j = 0; j < size; j++, at++) {
          result[i * size + j] = (all[at] as number) / samples - (rows[i] as number) * (shift[j] as number);
        }
      }
      return result;
    };
    return {
      mean: own(origin).map((value, i) => value + (shift[i] as number)),
      meanDrift,
      covariance: mirrored(centered(this.products, shift), size),
      drift: centered(this.driftProducts, meanDrift),
    };
  }
}

/** The lower triangle in place of the upper one. */
function mirrored(matrix: Float64Array, size: number): Float64Array {
  for (let i = 0; i < size; i++) for (let j = i + 1; j < size; j++) matrix[i * size + j] = matrix[j * size + i] as number;
  return matrix;
}

const commonDivisor = (a: number, b: number): number => (b === 0 ? a : commonDivisor(b, a % b));

/** products += a x b', a and b [size, depth], or only what lies on the diagonal and below; two rows by two columns at a time. */
function addProducts(
  a: Float64Array,
  b: Float64Array,
  size: number,
  depth: number,
  lower: boolean,
  products: Float64Array,
  into: number,
): void {
  for (let i = 0; i < size; i += 2) {
    const a0 = i * depth;
    const a1 = i + 1 < size ? a0 + depth : a0;
    for (let j = 0; j < (lower ? i + 1 : size); j += 2) {
      const b0 = j * depth;
      const b1 = j + 1 < size ? b0 + depth : b0;
      let s00 = 0;
      let s01 = 0;
      let s10 = 0;
      let s11 = 0;
      for (let k = 0; k < depth; k++) {
        const x0 = a[a0 + k] as number;
        const x1 = a[a1 + k] as number;
        const y0 = b[b0 + k] as number;
        const y1 = b[b1 + k] as number;
        s00 += x0 * y0;
        s01 += x0 * y1;
        s10 += x1 * y0;
        s11 += x1 * y1;
      }
      const at = into + i * size + j;
      products[at] = (products[at] as number) + s00;
      if (b1 > b0) products[at + 1] = (products[at + 1] as number) + s01;
      if (a1 === a0) continue;
      products[at + size] = (products[at + size] as number) + s10;
      if (b1 > b0) products[at + size + 1] = (products[at + size + 1] as number) + s11;
    }
  }
}
