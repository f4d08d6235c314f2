import { GATE_LANES, scaleOf, unitOf } from '../../src/graph/lanes.js';
import { isQuantized, type QuantizedWeights } from '../../src/graph/network.js';
import { checkSums, largestSafeLane, safeLane } from '../../src/graph/sums.js';
import { conv } from './nodes.js';

const weights = (filter: number[], bias: number[], zeroPoint = 0): QuantizedWeights => ({
  filter: Int8Array.from(filter),
  scale: new Float32Array(bias.length).fill(1),
  zeroPoint,
  bias: Int32Array.from(bias),
});
const LIMIT = 2 ** 31 - 1;

it('knows the largest lane with which no sum of a channel overflows', () => {
  const node = conv({ channels: 2, inputChannels: 3, kernel: [100, 100] });
  const filter = Array.from({ length: 30_000 * 2 }, (_, i) => (i % 2 ? 100 : -127));
  expect(largestSafeLane(node, weights(filter, [0, 0]))).toBeCloseTo(LIMIT / (30_000 * 127), 9);
  expect(largestSafeLane(node, weights(filter, [0, -(2 ** 30)]))).toBeCloseTo((LIMIT - 2 ** 30) / (30_000 * 100), 9);
  // The zero point is part of each weight: 27 and -200.
  expect(largestSafeLane(node, weights(filter, [0, 0], 73))).toBeCloseTo(LIMIT / (30_000 * 200), 9);
});

it('knows no lane above 16 bits, and no division by nothing', () => {
  expect(largestSafeLane(conv({ channels: 2 }), weights([1, 1], [0, 0]))).toBe(32767);
  expect(safeLane(Int32Array.of(0, 0), weights([], [LIMIT - 5, 0]))).toBe(5);
});

it('refuses lanes that are too large, whichever end they are at', () => {
  expect(() => checkSums(conv(), 100.5, { low: -100, high: 100 })).not.toThrow();
  expect(() => checkSums(conv(), 127, { low: -127, high: 127 })).not.toThrow();
  const message = /^conv: with this filter, lanes of its input must stay within 100, or a 32-bit sum could overflow; got 101\.$/;
  expect(() => checkSums(conv(), 100.5, { low: -101, high: 0 })).toThrow(message);
  expect(() => checkSums(conv(), 100.5, { low: 0, high: 101 })).toThrow(message);
});

it('knows scales, of the tensor or a channel, and what a convolution takes a lane to be worth', () => {
  const perChannel = { scale: Float32Array.of(0.5, 0.25), low: 0, high: 1, unit: 2 };
  expect([scaleOf(GATE_LANES, 3), scaleOf(perChannel, 1)]).toEqual([2 ** -15, 0.25]);
  expect(unitOf(conv(), GATE_LANES, 0)).toBe(2 ** -15);
  expect(unitOf(conv({ groups: 8 }), perChannel, 1)).toBe(0.25);
  expect(unitOf(conv({ groups: 1 }), perChannel, 1)).toBe(2);
  expect(GATE_LANES).toEqual({ scale: 2 ** -15, low: 0, high: 32767 });
});

it('tells integers from real weights', () => {
  expect(isQuantized(weights([1], [1]))).toBe(true);
  expect(isQuantized({ filter: new Float32Array(1), bias: new Float32Array(1) })).toBe(false);
});
