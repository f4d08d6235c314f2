import type { ConvNode } from '../../src/graph/graph.js';
import { eightBitsPerChannel, stepCosts } from '../../src/quantization/eight-bits.js';
import { Histogram } from '../../src/quantization/histogram.js';
import { chooseLanes } from '../../src/quantization/lanes.js';
import type { Range } from '../../src/quantization/observe.js';
import { SCHEMES } from '../../src/quantization/schemes.js';
import { snapped } from '../../src/quantization/snap.js';
import { random, uniform } from '../random-network.js';

const PIXELS = 2000;

/** @param most of the values of a channel in each half of the images */
function rangeOf(most: readonly (readonly [number, number])[]): Range {
  const next = random(3);
  const values = most.map((halves) => halves.map((top) => uniform(next, PIXELS, 0, top)));
  const histogram = (own: Float32Array) => {
    const result = new Histogram(256);
    result.add(own, 0, own.length);
    return result;
  };
  const all = values.map(([a, b]) => [...(a as Float32Array), ...(b as Float32Array)]);
  const halves = [0, 1].map((half) => values.map((own) => histogram(own[half] as Float32Array)));
  return {
    min: Float32Array.from(all, (own) => Math.min(...own)),
    max: Float32Array.from(all, (own) => Math.max(...own)),
    sum: Float64Array.from(all, (own) => own.reduce((sum, value) => sum + value, 0)),
    pixels: 2 * PIXELS,
    images: 2,
    counted: 2 * PIXELS,
    histogram: histogram(Float32Array.from(all.flat())),
    halves: halves as [Histogram[], Histogram[]],
  };
}

const topOf = (range: Range) => {
  const { scale, high } = eightBitsPerChannel(range, SCHEMES.eight);
  return scale.map((step) => step * high);
};

/** The largest value that each channel has room for in 16 bits, where a depthwise convolution reads it. */
function roomOf(range: Range): number[] {
  const channels = range.min.length;
  const conv = (name: string, input: string, groups: number): ConvNode => {
    const shape = { kernel: [1, 1], strides: [1, 1], padding: 'valid', inputChannels: channels, channels, groups } as const;
    return { kind: 'conv', name, inputs: [input], ...shape, activation: 'relu' };
  };
  const graph = {
    nodes: [conv('x', 'input', 1), conv('y', 'x', channels)],
    outputs: { embedding: 'y' },
    architecture: 'a',
    width: 1,
    resolution: 1,
    classes: 0,
  };
  const lanes = chooseLanes(graph, new Map([['x', range]]), () => Number.POSITIVE_INFINITY, SCHEMES.best, new Map(), ['x']);
  const { scale, high } = lanes.get('x') as { scale: Float32Array; high: number };
  return Array.from(scale, (step) => step * high);
}

it('leaves no headroom where both halves of the images show the same', () => {
  const [small, large] = topOf(
    rangeOf([
      [1, 1],
      [4, 4],
    ]),
  ) as unknown as [number, number];
  for (const top of [small, large / 4]) {
    expect(top).toBeGreaterThan(0.9);
    expect(top).toBeLessThan(1.05);
  }
});

it('leaves headroom where one half shows what the other does not', () => {
  // Channels that answer to what few images show.
  const range = rangeOf(Array.from({ length: 16 }, (_, c): [number, number] => (c % 2 ? [1, 3] : [3, 1])));
  for (const top of topOf(range)) expect(top).toBeGreaterThan(1.3 * 3);
});

it('leaves room to a channel that no image has shown', () => {
  const range = rangeOf([
    [4, 4],
    [0, 0],
  ]);
  const [shown, other] = topOf(range) as unknown as [number, number];
  expect(other).toBe(shown);

  // 16 bits: four times what was shown, and an eighth of that at least.
  const [most, least] = roomOf(range) as [number, number];
  expect(most).toBeGreaterThan(15);
  expect(least).toBeGreaterThan(1.9);
});

it('does not make the steps of all channels coarse for one of large values', () => {
  const room = roomOf(rangeOf([[200, 200], [0, 0], ...Array.from({ length: 5 }, (): [number, number] => [2, 2])]));
  expect(room[0]).toBeGreaterThan(780);
  for (const own of room.slice(1)) {
    expect(own).toBeGreaterThan(7.8);
    expect(own).toBeLessThan(8.1);
  }
});

it('knows what each step costs: the square of it over 12 where nothing is clipped, more where much is', () => {
  const { steps, noise, low } = stepCosts(rangeOf([[1, 1]]), SCHEMES.eight);
  expect(low).toBe(0);
  const [own] = noise as [Float64Array];
  steps.forEach((step, i) => {
    if (step * 255 > 1.1) expect((own[i] as number) / ((step * step) / 12)).toBeCloseTo(1, 1);
    if (step * 255 < 0.5) expect(own[i]).toBeGreaterThan(step * step);
  });
  expect(steps.some((step) => step * 255 < 0.5)).toBe(true);
});

it('snaps values to lanes, channel by channel, and clips them', () => {
  const lanes = { scale: Float32Array.of(0.5, 2), low: -1, high: 3 };
  expect([...snapped(Float32Array.of(0.6, 0.6, 9, 9, -9, -9), lanes)]).toEqual([0.5, 0, 1.5, 6, -0.5, -2]);
  expect([...snapped(Float32Array.of(0.6, 9), { scale: 0.5, low: 0, high: 3 })]).toEqual([0.5, 1.5]);
});
