import type { ConvNode } from '../../src/graph/graph.js';
import { correctedBias, largestScales, leastSquaresScales, roundFilter } from '../../src/quantization/filters.js';
import { random, uniform } from '../random-network.js';

const squaredError = (filter: Float32Array, scale: Float32Array) => {
  const rounded = roundFilter(filter, scale);
  return filter.reduce((sum, w, i) => sum + (w - (rounded[i] as number) * (scale[i % scale.length] as number)) ** 2, 0);
};

it('rounds to the nearest step and never beyond 127', () => {
  expect([...roundFilter(Float32Array.of(0.4, -0.6, 200, -200), Float32Array.of(1))]).toEqual([0, -1, 127, -127]);
});

it('gives every channel the scale at which its largest weight is 127', () => {
  const scale = largestScales(Float32Array.of(1, 0, -254, 0, 127, 0), 2);
  expect(scale[0]).toBeCloseTo(2, 6);
  expect(scale[1]).toBeGreaterThan(0);
});

it('finds scales that are never worse than the largest, and better for a normal distribution', () => {
  const next = random(3);
  const normal = Float32Array.from({ length: 40_000 }, () => Math.sqrt(-2 * Math.log(next() + 1e-9)) * Math.cos(2 * Math.PI * next()));
  const [largest, least] = [largestScales(normal, 4), leastSquaresScales(normal, 4)];
  expect(squaredError(normal, least)).toBeLessThan(squaredError(normal, largest));
});

it.each([1, 6])('corrects biases so that the mean output is the float one, groups %i', (groups) => {
  const channels = 6;
  const node = {
    kind: 'conv',
    name: 'c',
    inputs: ['x'],
    kernel: [3, 3],
    strides: [1, 1],
    padding: 'valid',
    inputChannels: 6,
    channels,
    groups,
    activation: 'none',
  } as ConvNode;
  const inputs = 6 / groups;
  const filter = uniform(random(groups), 9 * inputs * channels);
  const bias = uniform(random(9), channels);
  const scale = largestScales(filter, channels).map((s) => s * 9); // coarse, so that there is something to correct
  const rounded = { filter: roundFilter(filter, scale), scale };
  const mean = Float64Array.from({ length: 6 }, (_, c) => c - 2);
  const corrected = correctedBias(node, { filter, bias }, rounded, mean);
  const meanOutput = (values: ArrayLike<number>, factor: (c: number) => number, start: ArrayLike<number>) =>
    Array.from({ length: channels }, (_, c) => {
      let sum = start[c] as number;
      for (let tap = 0; tap < 9; tap++) {
        for (let i = 0; i < inputs; i++) {
          sum += (values[(tap * inputs + i) * channels + c] as number) * factor(c) * (mean[groups > 1 ? c : i] as number);
        }
      }
      return sum;
    });
  const expected = meanOutput(filter, () => 1, bias);
  const actual = meanOutput(rounded.filter, (c) => scale[c] as number, corrected);
  actual.forEach((value, c) => {
    expect(value).toBeCloseTo(expected[c] as number, 4);
  });
});
