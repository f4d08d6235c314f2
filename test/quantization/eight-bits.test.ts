import { EIGHT_BIT_GATE, eightBits, eightBitsPerChannel, stepCosts } from '../../src/quantization/eight-bits.js';
import { Histogram } from '../../src/quantization/histogram.js';
import type { Range } from '../../src/quantization/observe.js';
import { SCHEMES, type Scheme } from '../../src/quantization/schemes.js';
import { random, uniform } from '../random-network.js';

const MIN_MAX = SCHEMES.perTensor;
const LEAST_SQUARES = SCHEMES.leastSquares;
const PERCENTILE: Scheme = { ...MIN_MAX, range: 'percentile' };

/** What calibration would have seen of these channels. */
function rangeOf(channels: readonly Float32Array[], histograms = true): Range {
  const each = (values: Float32Array, bins?: number) => {
    const histogram = new Histogram(bins);
    histogram.add(values, 0, values.length);
    return histogram;
  };
  const all = Float32Array.from(channels.flatMap((values) => [...values]));
  return {
    min: Float32Array.from(channels, (values) => Math.min(...values)),
    max: Float32Array.from(channels, (values) => Math.max(...values)),
    sum: new Float64Array(channels.length),
    pixels: channels[0]?.length as number,
    counted: channels[0]?.length as number,
    // One image: the other half of the images is empty.
    images: 1,
    ...(histograms
      ? { histogram: each(all), halves: [channels.map((values) => each(values, 256)), channels.map(() => new Histogram(256))] }
      : {}),
  };
}
const flat = (low: number, high: number, length = 1000) => uniform(random(1), length, low, high);
const of = (...bounds: [number, number][]) => rangeOf(bounds.map(([low, high]) => Float32Array.of(low, high)));

it('spans 255 steps from the least to the greatest value, zero among them', () => {
  expect(eightBits(of([-1, 4.1]), MIN_MAX)).toMatchObject({ low: -50, high: 205 });
  expect(eightBits(of([-1, 4.1]), MIN_MAX).scale).toBeCloseTo(5.1 / 255, 7);
  expect(eightBits(of([-1, 2], [0, 4.1]), MIN_MAX).scale).toBeCloseTo(5.1 / 255, 7);
  expect(eightBits(of([2, 5.1]), MIN_MAX)).toMatchObject({ low: 0, high: 255 });
  expect(eightBits(of([2, 5.1]), MIN_MAX).scale).toBeCloseTo(5.1 / 255, 7);
  expect(eightBits(of([-5.1, -2]), MIN_MAX)).toMatchObject({ low: -255, high: 0 });
  expect(eightBits(of([0, 0]), MIN_MAX).scale).toBeCloseTo(1e-6 / 255, 12);
  expect(EIGHT_BIT_GATE).toEqual({ scale: 1 / 255, low: 0, high: 255 });
});

it('leaves outliers outside by a share, or where that costs less', () => {
  const values = Float32Array.from([...flat(-1, 1, 60_000), 8]);
  const range = rangeOf([values]);
  expect(eightBits(range, MIN_MAX).scale).toBeCloseTo(9 / 255, 3);
  expect(eightBits(range, PERCENTILE).scale).toBeCloseTo(2 / 255, 3);
  expect(eightBits(range, LEAST_SQUARES).scale).toBeLessThan((0.95 * 9) / 255);
  const without = rangeOf([values], false);
  for (const scheme of [PERCENTILE, LEAST_SQUARES]) expect(eightBits(without, scheme)).toEqual(eightBits(without, MIN_MAX));
});

describe('a scale a channel', () => {
  it('has one zero point for all, and covers each channel', () => {
    const bounds: [number, number][] = [
      [-1, 3],
      [-0.2, 0.5],
      [-2, 7],
    ];
    const { scale, low, high } = eightBitsPerChannel(of(...bounds), MIN_MAX);
    expect(high - low).toBe(255);
    expect(low).toBeLessThan(0);
    bounds.forEach(([bottom, top], c) => {
      const step = scale[c] as number;
      expect(low * step).toBeLessThanOrEqual(bottom * 0.9999);
      expect(high * step).toBeGreaterThanOrEqual(top * 0.9999);
      // As fine as that zero point lets it be.
      expect(Math.max(top / high, bottom / low)).toBeCloseTo(step, 7);
    });
  });

  it('chooses the zero point with which steps are the finest', () => {
    expect(eightBitsPerChannel(of([0, 1], [0, 5]), MIN_MAX).low).toBe(0);
    expect(eightBitsPerChannel(of([-1, 1.01], [-3, 3.02]), MIN_MAX).low).toBe(-127);
    expect(eightBitsPerChannel(of([-1, 0], [-3, 0]), MIN_MAX).low).toBe(-128);
    const { scale } = eightBitsPerChannel(of([0, 1], [0, 5], [0, 0]), MIN_MAX);
    expect(scale[0]).toBeCloseTo(1 / 255, 7);
    expect(scale[1]).toBeCloseTo(5 / 255, 7);
    // No image has shown the third.
    expect(scale[2]).toBe(scale[1]);
  });

  it('clips outliers by least squares, where histograms are there', () => {
    const range = rangeOf([Float32Array.from([...flat(0, 1, 60_000), 4]), flat(0, 1, 60_001)]);
    const [a, b] = [eightBitsPerChannel(range, MIN_MAX), eightBitsPerChannel(range, LEAST_SQUARES)];
    expect(b.scale[0]).toBeLessThan(0.95 * (a.scale[0] as number));
    expect(b.scale[1]).toBeLessThanOrEqual(a.scale[1] as number);
    const { halves: _, ...without } = range;
    expect(eightBitsPerChannel(without, LEAST_SQUARES)).toEqual(a);
  });
});

it('knows what each step costs a channel: what is clipped, and rounding', () => {
  const range = rangeOf([flat(0, 4), flat(0, 1)]);
  const { low, steps, noise } = stepCosts(range, LEAST_SQUARES);
  expect(low).toBe(0);
  expect(steps).toHaveLength(32);
  expect(steps[0]).toBeCloseTo(4 / 255, 4);
  for (let i = 4; i < 32; i++) expect(steps[i]).toBeCloseTo((steps[i - 4] as number) / 2, 9);
  expect(noise).toHaveLength(2);
  // The largest step clips nothing: a twelfth of its square is left.
  for (const own of noise) expect(own[0]).toBeCloseTo((steps[0] as number) ** 2 / 12, 6);
  // Half of it clips half of the first channel: the mean of (x - 2)^2 above 2 is 4 / 3, for half of the values.
  expect((noise[0] as Float64Array)[4]).toBeCloseTo(4 / 3 / 2, 1);
  expect((noise[1] as Float64Array)[4]).toBeCloseTo((steps[4] as number) ** 2 / 12, 6);
  expect(stepCosts(rangeOf([flat(0, 4)], false), LEAST_SQUARES).noise).toEqual([]);
});

describe('a histogram', () => {
  it('keeps counts when bins are merged', () => {
    const histogram = new Histogram(64);
    const values = flat(-1, 1);
    histogram.add(values, 0, 500);
    histogram.add(Float32Array.of(Number.NaN, 100, Number.POSITIVE_INFINITY), 0, 2);
    histogram.add(values, 500, 500);
    // Clipped to nothing: squares are left, and 100 weighs most.
    const squares = values.reduce((sum, v) => sum + v * v, 0);
    expect(histogram.squaredError(0, 0, 255)).toBeGreaterThan(squares);
  });

  it('takes values from a place on, and so many', () => {
    const [part, whole] = [new Histogram(), new Histogram()];
    part.add(Float32Array.of(9, 9, 0.25, 0.5, 9), 2, 2);
    whole.add(Float32Array.of(0.25, 0.5), 0, 2);
    expect(part.percentile(0)).toEqual(whole.percentile(0));
    // A bin is a thousandth of the reach of 1.
    expect(part.percentile(0)[0]).toBeCloseTo(0.25, 2);
    expect(part.percentile(0)[1]).toBeCloseTo(0.5, 2);
  });

  it('counts the error of clipping on both sides and of rounding inside', () => {
    const histogram = new Histogram();
    histogram.add(Float32Array.of(-3, -1, 0.5, 2), 0, 4);
    const step = 2 / 4;
    expect(histogram.squaredError(-1.5, 0.5 + 0.01, 4)).toBeCloseTo(1.5 ** 2 + 1.49 ** 2 + (2 * (2.01 / 4) ** 2) / 12, 1);
    expect(histogram.squaredError(-4, 4, 16)).toBeCloseTo((4 * step * step) / 12, 6);
  });

  it('leaves shares outside at both ends', () => {
    const histogram = new Histogram();
    histogram.add(
      Float32Array.from({ length: 1000 }, (_, i) => i / 1000),
      0,
      1000,
    );
    const [low, high] = histogram.percentile(0.5);
    expect(low).toBeCloseTo(0.25, 2);
    expect(high).toBeCloseTo(0.75, 2);
    expect(new Histogram().percentile(0.5)).toEqual([0, 0]);
  });
});
