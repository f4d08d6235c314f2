import { compensated, factorize, followed, roundForOutput } from '../../src/quantization/compensate.js';
import { type Factors, inRows, rowFactors } from '../../src/quantization/factors.js';
import { leastSquaresScales, roundFilter } from '../../src/quantization/filters.js';
import { random, uniform } from '../random-network.js';

const SIZE = 12;
const CHANNELS = 5;

/** The covariance of inputs that have much in common, as those of a layer have. */
function correlated(seed: number, size = SIZE): Float64Array {
  const samples = 200;
  const own = uniform(random(seed), samples * size);
  const common = uniform(random(seed + 1), samples);
  const value = (s: number, i: number) => (own[s * size + i] as number) * 0.3 * (1 + (i % 3)) + (common[s] as number);
  return Float64Array.from({ length: size * size }, (_, at) => {
    let sum = 0;
    for (let s = 0; s < samples; s++) sum += value(s, Math.floor(at / size)) * value(s, at % size);
    return sum / samples;
  });
}

/** e' H e, channel by channel. */
function outputError(covariance: Float64Array, error: (i: number, c: number) => number, size = SIZE, channels = CHANNELS): number[] {
  return Array.from({ length: channels }, (_, c) => {
    let sum = 0;
    for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) sum += error(i, c) * (covariance[i * size + j] as number) * error(j, c);
    return sum;
  });
}

const total = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0);
const filter = uniform(random(5), SIZE * CHANNELS);
const covariance = correlated(7);
const errorOf = (rounded: { filter: Int8Array; scale: Float32Array }, wanted: ArrayLike<number> = filter, rows?: Float32Array) =>
  outputError(covariance, (i, c) => {
    const real = (rounded.filter[i * CHANNELS + c] as number) * (rounded.scale[c] as number);
    return (wanted[i * CHANNELS + c] as number) - real / (rows?.[i] ?? 1);
  });

it('splits a covariance into R and its transpose, in the order of variance', () => {
  const { order, factor } = factorize(covariance, SIZE, 0);
  const variances = [...order].map((i) => covariance[i * SIZE + i] as number);
  expect(variances).toEqual([...variances].sort((a, b) => a - b));
  for (let i = 0; i < SIZE; i++) {
    for (let j = i; j < SIZE; j++) {
      let sum = 0;
      for (let k = 0; k <= i; k++) sum += (factor[k * SIZE + i] as number) * (factor[k * SIZE + j] as number);
      expect(sum).toBeCloseTo(covariance[(order[i] as number) * SIZE + (order[j] as number)] as number, 10);
    }
  }
});

it('knows the error of the output that its rounding makes', () => {
  const scale = new Float32Array(CHANNELS).fill(1 / 20);
  const { filter: rounded, error } = compensated(factorize(covariance, SIZE, 0), filter, scale);
  errorOf({ filter: rounded, scale }).forEach((expected, c) => {
    expect(error[c]).toBeCloseTo(expected, 10);
  });
});

it('makes less than half the error of rounding to the nearest', () => {
  const scale = leastSquaresScales(filter, CHANNELS);
  const nearest = total(errorOf({ filter: roundFilter(filter, scale), scale }));
  expect(total(errorOf(roundForOutput(filter, covariance)))).toBeLessThan(nearest / 2);
});

it('rounds inputs that never vary, and channels of zeros', () => {
  const { filter: rounded, scale } = roundForOutput(new Float32Array(SIZE * CHANNELS), new Float64Array(SIZE * SIZE));
  expect(rounded.every((q) => q === 0)).toBe(true);
  expect(scale.every((s) => s > 0)).toBe(true);
});

it('follows the float output where the input has drifted', () => {
  // The input that is there is 0.8 of the float one; the drift is the rest.
  const drift = covariance.map((value) => value * 0.25);
  const moments = { covariance, drift, mean: new Float64Array(SIZE), meanDrift: new Float64Array(SIZE) };
  const wanted = filter.map((w) => w * 1.25);
  const difference = (w: ArrayLike<number>) =>
    total(outputError(covariance, (i, c) => (wanted[i * CHANNELS + c] as number) - (w[i * CHANNELS + c] as number)));
  expect(difference(followed(filter, moments, 1000))).toBeLessThan(difference(filter) / 5);
  // Few samples say nothing of many values.
  expect(followed(filter, moments, SIZE)).toEqual(Float64Array.from(filter));
});

it('finds factors where rows of weights differ in size, and gives them back in the filter', () => {
  const uneven = filter.map((w, i) => w * 4 ** -(Math.floor(i / CHANNELS) % 3));
  const { rows } = rowFactors(uneven, covariance, SIZE) as Factors;
  expect(rows).toHaveLength(SIZE);
  const plain = total(errorOf(roundForOutput(uneven, covariance), uneven));
  expect(total(errorOf(roundForOutput(...inRows(uneven, covariance, rows)), uneven, rows))).toBeLessThan(plain / 2);
});

it('keeps the steps of an input of 8 bits as fine as its channels need', () => {
  const ratio = Math.sqrt(Math.sqrt(2));
  const steps = Array.from({ length: 32 }, (_, i) => ratio ** -i);
  // The first channel needs steps of 1; the others would do with steps of a sixteenth.
  const noise = Array.from({ length: SIZE }, (_, c) =>
    Float64Array.from(steps, (step) => (step < (c === 0 ? 1 : 1 / 16) ? 100 : (step * step) / 12)),
  );
  const { rows, unit } = rowFactors(filter, covariance, SIZE, { low: 0, steps, noise }) as Required<Factors>;
  expect((rows[0] as number) * unit).toBeCloseTo(1, 5);
  for (let c = 1; c < SIZE; c++) expect((rows[c] as number) * unit).toBeLessThan(0.5);
});
