import { Histogram } from '../../src/quantization/histogram.js';

const filled = (values: readonly number[]) => {
  const histogram = new Histogram();
  histogram.add(Float32Array.from(values), 0, values.length);
  return histogram;
};

it('leaves the given share of values outside, at both ends', () => {
  const histogram = filled(Array.from({ length: 10_000 }, (_, i) => i / 10_000 - 0.5));
  const [low, high] = histogram.percentile(0.1);
  // A bin is 2 / 2048 wide here.
  expect(low).toBeCloseTo(-0.45, 2);
  expect(high).toBeCloseTo(0.45, 2);
});

it('clips a lone outlier when that loses less than coarser steps would', () => {
  const values = [...Array.from({ length: 1_000_000 }, (_, i) => (i % 1000) / 1000), 3];
  const [low, high] = filled(values).leastSquares(0, 3, 255);
  expect(low).toBe(0);
  expect(high).toBeLessThan(2);
});

it('keeps the whole range where nothing is gained by less', () => {
  expect(filled(Array.from({ length: 10_000 }, (_, i) => i / 10_000)).leastSquares(0, 1, 255)[1]).toBeGreaterThan(0.9);
});

it('takes values in any order and of any size, and passes NaN by', () => {
  const mixed = filled([1e6, 1e-6, -3, Number.NaN, 1e6]);
  const [low, high] = mixed.percentile(0);
  expect(low).toBeLessThanOrEqual(0);
  expect(high).toBeGreaterThan(9e5);
});
