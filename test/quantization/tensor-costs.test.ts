import type { ConvNode } from '../../src/graph/graph.js';
import type { FloatWeights } from '../../src/graph/network.js';
import { calibrate } from '../../src/quantization/calibrate.js';
import { stepCosts } from '../../src/quantization/eight-bits.js';
import { type Factors, stepFactors, takesFactors } from '../../src/quantization/factors.js';
import { chooseLanes } from '../../src/quantization/lanes.js';
import type { Calibration, Range } from '../../src/quantization/observe.js';
import { SCHEMES, type Scheme } from '../../src/quantization/schemes.js';
import { snapped } from '../../src/quantization/snap.js';
import { tensorCosts } from '../../src/quantization/tensor-costs.js';
import { Session } from '../../src/runtime/session.js';
import { follow, type Values } from '../graph/interpret.js';
import { NODES, picture, smallNetwork } from '../small-network.js';

// What 8 bits of one tensor do to the logits, against plain loops, and the cycles that they save.

const network = smallNetwork();
const { graph } = network;
const images = [1, 2, 3].map((seed) => picture(seed));
const scheme: Scheme = SCHEMES.perChannel;
const names = ['input', ...NODES.map(({ name }) => name)].slice(0, -1);
/** 8 bits for some tensors alone. */
const only = (...narrow: readonly string[]): Scheme => ({ ...scheme, wide: new Set(names.filter((name) => !narrow.includes(name))) });

let calibration: Calibration;
beforeAll(async () => {
  const session = await Session.create(network, { simd: 'baseline' });
  calibration = await calibrate(session, images, { histograms: true });
  session.dispose();
});

/** A factor for each row of the filter that reads a tensor. */
function rowsOf(name: string): Factors | undefined {
  const reader = NODES.find((node) => node.kind === 'conv' && node.inputs[0] === name) as ConvNode | undefined;
  if (!reader || !takesFactors(graph, reader)) return undefined;
  const { filter } = network.weights.get(reader.name) as FloatWeights;
  return stepFactors(filter, reader.channels, reader.inputChannels, stepCosts(calibration.ranges.get(name) as Range, scheme));
}

/** The error of the logits over their variance, where one tensor lies in lanes. */
function noiseOf(name: string, some = images): number {
  const lanes = chooseLanes(graph, calibration.ranges, () => Number.POSITIVE_INFINITY, scheme, new Map([[name, rowsOf(name)]]), [name]).get(
    name,
  );
  let [signal, error] = [0, 0];
  for (const image of some) {
    const tensors = follow(NODES, network.weights, { input: { shape: [32, 32, 3], data: [...image.data] } });
    const { shape, data } = tensors.get(name) as Values;
    const rounded = { shape, data: [...snapped(Float32Array.from(data), lanes as NonNullable<typeof lanes>)] };
    const behind = NODES.slice(NODES.findIndex((node) => node.name === name) + 1);
    const actual = follow(behind, network.weights, { ...Object.fromEntries(tensors), [name]: rounded }).get('classifier') as Values;
    const expected = (tensors.get('classifier') as Values).data;
    const mean = expected.reduce((a, b) => a + b) / expected.length;
    expected.forEach((value, i) => {
      signal += (value - mean) ** 2;
      error += (value - (actual.data[i] as number)) ** 2;
    });
  }
  return error / signal;
}

it('is the noise of each tensor of 8 bits by itself', async () => {
  const told: number[][] = [];
  const { logits, tensors } = await tensorCosts(network, calibration, scheme, { onTensor: (...args) => told.push(args) });
  expect(tensors.map(({ name }) => name)).toEqual(names);
  expect(told).toEqual(names.map((_, i) => [i + 1, names.length]));
  for (const { name, noise } of tensors) {
    expect(noise).toBeGreaterThan(0);
    if (!name.startsWith('gate')) expect(Math.abs(noise / noiseOf(name) - 1)).toBeLessThan(0.02);
  }
  expect(logits).toHaveLength(3);
  const [first] = images as [(typeof images)[0]];
  const own = follow(NODES, network.weights, { input: { shape: [32, 32, 3], data: [...first.data] } }).get('classifier') as Values;
  own.data.forEach((value, i) => {
    expect(logits[0]?.[i]).toBeCloseTo(value, 3);
  });
});

it('is saved where a dense convolution reads the tensor, in two planes of bytes or one', async () => {
  const { tensors } = await tensorCosts(network, calibration, only('input', 'stem', 'depthwise', 'gated', 'project', 'pool', 'second'));
  const saved = Object.fromEntries(tensors.map(({ name, cycles }) => [name, cycles]));
  const cycles = (madds: number) => madds / 12.8 - madds / 25.5;
  expect(saved).toEqual({
    input: cycles(16 * 16 * 27 * 8),
    stem: 0,
    depthwise: 0,
    gated: cycles(8 * 8 * 8 * 8),
    // The second convolution adds it, and does not multiply it.
    project: cycles(8 * 8 * 8 * 16),
    second: cycles(8 * 8 * 16 * 8),
    pool: 0,
  });
});

it('is told by at most 24 inputs, evenly spread', async () => {
  const [even, odd] = calibration.inputs as [Calibration['inputs'][number], Calibration['inputs'][number]];
  const costsOf = async (count: number) => {
    const inputs = Array.from({ length: count }, (_, i) => (i % 2 ? odd : even));
    const { logits, tensors } = await tensorCosts(network, { ...calibration, inputs }, only('pool'));
    expect(logits).toHaveLength(count);
    return (tensors[0] as (typeof tensors)[0]).noise;
  };
  const [alone, both] = [noiseOf('pool', images.slice(0, 1)), noiseOf('pool', images.slice(0, 2))];
  expect(Math.abs(alone / both - 1)).toBeGreaterThan(0.1);
  expect(Math.abs((await costsOf(25)) / alone - 1)).toBeLessThan(0.02);
  expect(Math.abs((await costsOf(24)) / both - 1)).toBeLessThan(0.02);
});

it('stops when it is told to', async () => {
  const controller = new AbortController();
  const seen: number[] = [];
  const onTensor = (done: number) => {
    seen.push(done);
    if (done === 2) controller.abort();
  };
  await expect(tensorCosts(network, calibration, scheme, { signal: controller.signal, onTensor })).rejects.toMatchObject({
    name: 'AbortError',
  });
  expect(seen).toEqual([1, 2]);
});
