import type { InputMoments } from './covariance.js';
import { largestScales, type RoundedFilter } from './filters.js';

/*
 * Rounding that minimises the error of a layer's output instead of the weights' own. With e = w - rounded w and H the
 * covariance of the layer's input, the output's squared error is e' H e = |R e|^2, where H = R' R and R is upper
 * triangular. From the last weight to the first, each is rounded so that it makes up, as far as it can, for the errors
 * of those before:
 *
 *         [ R00 R01 R02 ] [e0]      e2 is what rounding gives; w1 aims at w1 + e2 R12 / R11, which would
 *   R e = [     R11 R12 ] [e1]      make the second row 0; w0 at w0 + (e1 R01 + e2 R02) / R00
 *         [         R22 ] [e2]
 *
 * These are GPTQ's numbers (arXiv 2210.17323), had without an inverse: Babai's nearest plane in the lattice of R.
 */

/** Of the mean variance, added to each: what calibration has not seen is not free. */
export const DAMPING = 0.01;
/** The same where weights are moved: that learns from calibration more than rounding does. */
const DRIFT_DAMPING = 0.3;
const SAMPLES_PER_VALUE = 4;

export interface Damped {
  /** The values of a window, those that vary least first: the last is rounded first. */
  readonly order: Int32Array;
  /** R, upper triangular, in that order. */
  readonly factor: Float64Array;
}

export function factorize(covariance: Float64Array, size: number, damping: number): Damped {
  const variance = (i: number) => covariance[i * size + i] as number;
  const order = Int32Array.from({ length: size }, (_, i) => i).sort((a, b) => variance(a) - variance(b) || b - a);
  let trace = 0;
  for (let i = 0; i < size; i++) trace += variance(i);
  const extra = Math.max((trace / size) * damping, 1e-30);
  const factor = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    const row = (order[i] as number) * size;
    for (let j = i; j < size; j++) factor[i * size + j] = covariance[row + (order[j] as number)] as number;
    factor[i * size + i] = (factor[i * size + i] as number) + extra;
  }
  cholesky(factor, size, extra / 2);
  return { order, factor };
}

/** H = R' R in place, of its upper triangle. Rounding errors cannot bring a pivot below `least`. */
function cholesky(matrix: Float64Array, size: number, least: number): void {
  for (let i = 0; i < size; i++) {
    const diagonal = Math.sqrt(Math.max(matrix[i * size + i] as number, least));
    matrix[i * size + i] = diagonal;
    for (let j = i + 1; j < size; j++) matrix[i * size + j] = (matrix[i * size + j] as number) / diagonal;
    for (let k = i + 1; k < size; k++) subtractRow(matrix, k * size, i * size, matrix[i * size + k] as number, k, size);
  }
}

/** rows[into + j] -= factor * rows[from + j], j from `first` up to `end`. */
function subtractRow(rows: Float64Array, into: number, from: number, factor: number, first: number, end: number): void {
  if (factor === 0) return;
  for (let j = first; j < end; j++) rows[into + j] = (rows[into + j] as number) - factor * (rows[from + j] as number);
}

/**
 * The filter that, on the input that earlier layers' rounding gives, comes nearest to what the float filter makes of the
 * float input: w + H^-1 drift' w, by least squares.
 *
 * @param filter [size, channels]
 */
export function followed(filter: ArrayLike<number>, { covariance, drift }: InputMoments, samples: number): Float64Array {
  const size = Math.sqrt(covariance.length);
  const channels = filter.length / size;
  const w = Float64Array.from(filter);
  // So few samples fit any change.
  if (samples < SAMPLES_PER_VALUE * size) return w;
  const { order, factor } = factorize(covariance, size, DRIFT_DAMPING);
  const x = new Float64Array(w.length);
  for (let i = 0; i < size; i++) {
    const column = order[i] as number;
    for (let k = 0; k < size; k++) addRow(x, i, w, k, channels, drift[k * size + column] as number);
  }
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) addRow(x, i, x, k, channels, 0 - (factor[k * size + i] as number));
    divideRow(x, i, channels, factor[i * size + i] as number);
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) addRow(x, i, x, k, channels, 0 - (factor[i * size + k] as number));
    divideRow(x, i, channels, factor[i * size + i] as number);
  }
  for (let i = 0; i < size; i++) addRow(w, order[i] as number, x, i, channels, 1);
  return w;
}

/** rows[into] += factor * others[from] */
function addRow(rows: Float64Array, into: number, others: Float64Array, from: number, length: number, factor: number): void {
  if (factor === 0) return;
  const [to, at] = [into * length, from * length];
  for (let c = 0; c < length; c++) rows[to + c] = (rows[to + c] as number) + factor * (others[at + c] as number);
}

/** row += the sum of factors[first + j] * rows[j], j from `from` up to `to`; four at a time. */
function addRows(row: Float64Array, rows: Float64Array, factors: Float64Array, first: number, from: number, to: number): void {
  const length = row.length;
  let j = from;
  for (; j + 4 <= to; j += 4) {
    const f0 = factors[first + j] as number;
    const f1 = factors[first + j + 1] as number;
    const f2 = factors[first + j + 2] as number;
    const f3 = factors[first + j + 3] as number;
    const at = j * length;
    for (let c = 0; c < length; c++) {
      const near = f0 * (rows[at + c] as number) + f1 * (rows[at + length + c] as number);
      const far = f2 * (rows[at + 2 * length + c] as number) + f3 * (rows[at + 3 * length + c] as number);
      row[c] = (row[c] as number) + (near + far);
    }
  }
  for (; j < to; j++) {
    const f = factors[first + j] as number;
    for (let c = 0; c < length; c++) row[c] = (row[c] as number) + f * (rows[j * length + c] as number);
  }
}

function divideRow(rows: Float64Array, row: number, length: number, divisor: number): void {
  for (let at = row * length; at < (row + 1) * length; at++) rows[at] = (rows[at] as number) / divisor;
}

/** @returns the rounded filter, [size, channels], and the squared error of each output channel */
export function compensated(
  { order, factor }: Damped,
  filter: ArrayLike<number>,
  scale: Float32Array,
): { filter: Int8Array; error: Float64Array } {
  const size = order.length;
  const channels = scale.length;
  const rounded = new Int8Array(size * channels);
  const error = new Float64Array(channels);
  /** e of the weights that are rounded already, in order. */
  const errors = new Float64Array(size * channels);
  const aim = new Float64Array(channels);
  for (let i = size - 1; i >= 0; i--) {
    const diagonal = factor[i * size + i] as number;
    aim.fill(0);
    addRows(aim, errors, factor, i * size, i + 1, size);
    const row = (order[i] as number) * channels;
    for (let c = 0; c < channels; c++) {
      const w = filter[row + c] as number;
      const s = scale[c] as number;
      const wanted = w + (aim[c] as number) / diagonal;
      const nearest = Math.round(wanted / s);
      const q = nearest > 127 ? 127 : nearest < -127 ? -127 : nearest;
      rounded[row + c] = q;
      errors[i * channels + c] = w - q * s;
      const rest = (wanted - q * s) * diagonal;
      error[c] = (error[c] as number) + rest * rest;
    }
  }
  return { filter: rounded, error };
}

/** Scales that are tried lie between these shares of the one at which the largest weight is 127. */
const LEAST_SHARE = 0.85;
const MOST_SHARE = 1.1;
/** As many as there are, or as cost no more than so many multiplications. */
const MOST_TRIALS = 64;
export const MOST_MULTIPLICATIONS = 4e7;

/** The share of the largest scale comes first; a draw that falls well is the better, the fewer weights there are. */
function sharesFor(multiplications: number): number[] {
  const trials = Math.max(1, Math.min(MOST_TRIALS, Math.floor(MOST_MULTIPLICATIONS / multiplications)));
  const step = (MOST_SHARE - LEAST_SHARE) / trials;
  return [1, ...Array.from({ length: trials - 1 }, (_, i) => LEAST_SHARE + (i + 0.5) * step)];
}

/** A filter [size, channels], rounded for the least error of the output, each channel with the best of several scales. */
export function roundForOutput(filter: ArrayLike<number>, covariance: Float64Array): RoundedFilter {
  const size = Math.sqrt(covariance.length);
  const channels = filter.length / size;
  const damped = factorize(covariance, size, DAMPING);
  const largest = largestScales(Float32Array.from(filter), channels);
  const best = new Int8Array(filter.length);
  const scale = new Float32Array(channels);
  const least = new Float64Array(channels).fill(Number.POSITIVE_INFINITY);
  for (const share of sharesFor((size * size * channels) / 2)) {
    const tried = largest.map((s) => s * share);
    const { filter: rounded, error } = compensated(damped, filter, tried);
    for (let c = 0; c < channels; c++) {
      if ((error[c] as number) >= (least[c] as number)) continue;
      least[c] = error[c] as number;
      scale[c] = tried[c] as number;
      for (let at = c; at < best.length; at += channels) best[at] = rounded[at] as number;
    }
  }
  return { filter: best, scale };
}
