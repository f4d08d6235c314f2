import * as integers from '../../src/compute/lanes/index.js';
import { FIELDS, INSTRUCTION_BYTES } from '../../src/engine/instruction.js';
import { Kernel } from '../../src/engine/kernel.js';
import type { Node } from '../../src/graph/graph.js';
import type { FloatWeights, Network, QuantizedWeights, Weights } from '../../src/graph/network.js';
import { PackedNetwork } from '../../src/runtime/packed-network.js';
import { createPlan, type Plan } from '../../src/runtime/plan.js';
import { firstWay } from '../../src/runtime/way.js';
import { follow, type Values } from '../graph/interpret.js';
import { conv } from '../graph/nodes.js';
import { inShares, MACHINES } from '../kernels/engines.js';
import { random, uniform } from '../random-network.js';
import { expectNear, network, tensor } from './small.js';

// What a plan makes of a network: which kernels, on a memory that other plans have left their values in.

const next = random(3);
const floatOf = (node: Node): [string, FloatWeights][] => {
  if (node.kind !== 'conv') return [];
  const size = (node.kernel[0] * node.kernel[1] * node.inputChannels * node.channels) / node.groups;
  return [[node.name, { filter: uniform(next, size, -0.5, 0.5), bias: uniform(next, node.channels) }]];
};
const quantizedOf = (node: Node): [string, QuantizedWeights][] =>
  floatOf(node).map(([name, { filter, bias }]) => [
    name,
    {
      filter: Int8Array.from(filter, (w) => Math.round(w * 254)),
      scale: new Float32Array(bias.length).fill(1 / 254),
      zeroPoint: 0,
      bias: new Int32Array(bias.length),
    },
  ]);
const of = (nodes: readonly Node[], weights: ReadonlyMap<string, Weights>, lanes: readonly string[] = []): Network => {
  const last = (nodes.at(-1) as Node).name;
  const { graph, ...rest } = network({
    weights,
    lanes: new Map(lanes.map((name) => [name, { scale: 1 / 4096, low: -32767, high: 32767 }])),
  });
  return { ...rest, graph: { ...graph, nodes, outputs: { embedding: last } } };
};

interface Ran {
  readonly plan: Plan;
  readonly kernels: readonly string[];
  readonly words: (instruction: number, field: (typeof FIELDS)[number]) => number;
  readonly output: readonly number[];
}

/** Plans a network, and runs it once on memory where nothing is zero. */
async function run(given: Network, [height, width]: readonly [number, number], threads = 1): Promise<Ran> {
  const engine = inShares(await (MACHINES[0] as (typeof MACHINES)[number]).engine(), threads);
  const packed = new PackedNetwork(engine, given, firstWay(engine, 'auto', integers).arithmetics);
  const plan = createPlan(packed, given.graph, height, width);
  engine.floats(plan.input.pointer, height * width * 3).set(tensor(height, width).data);
  engine.runAlone(plan.pointer, plan.instructions);
  const words = (instruction: number, field: (typeof FIELDS)[number]) =>
    engine.ints(plan.pointer + instruction * INSTRUCTION_BYTES, FIELDS.length)[FIELDS.indexOf(field)] as number;
  const kernels = Array.from({ length: plan.instructions }, (_, i) => Kernel[words(i, 'kernel')] as string);
  const { pointer, shape } = plan.results.embedding;
  return { plan, kernels, words, output: [...engine.floats(pointer, shape[0] * shape[1] * shape[2])] };
}

const after = (nodes: readonly Node[], weights: ReadonlyMap<string, Weights>, height: number, width: number) =>
  (
    follow(nodes, weights, { input: { shape: [height, width, 3], data: [...tensor(height, width).data] } }).get(
      (nodes.at(-1) as Node).name,
    ) as Values
  ).data;

const stem = conv({
  name: 'stem',
  inputs: ['input'],
  inputChannels: 3,
  kernel: [3, 3],
  strides: [2, 2],
  padding: 'same',
  activation: 'relu6',
});
const pool: Node = { kind: 'globalAveragePool', name: 'pool', inputs: ['stem'] };
const pointwise = (name: string, input: string) => conv({ name, inputs: [input] });
const affine = (name: string, input: string): Node => ({ kind: 'affine', name, inputs: [input], alpha: 0.5, beta: 0.25 });

describe('one pixel', () => {
  it('is computed as a vector, behind the pool and what keeps its size', async () => {
    const nodes: Node[] = [
      stem,
      { kind: 'activation', name: 'wide', inputs: ['stem'], activation: 'hardSwish' },
      pointwise('first', 'wide'),
      { kind: 'globalAveragePool', name: 'pool', inputs: ['first'] },
      pointwise('second', 'pool'),
      { kind: 'activation', name: 'swish', inputs: ['second'], activation: 'hardSwish' },
      pointwise('third', 'swish'),
      affine('scaled', 'third'),
      pointwise('fourth', 'scaled'),
      conv({ name: 'square', inputs: ['fourth'], kernel: [3, 3], padding: 'same' }),
      // Behind a window that might make more pixels of one nobody relies on one.
      pointwise('fifth', 'square'),
      { kind: 'add', name: 'sum', inputs: ['fifth', 'first'], activation: 'none' },
    ];
    const given = nodes.slice(0, -1);
    const weights = new Map(given.flatMap(floatOf));
    const { kernels, output } = await run(of(given, weights), [32, 32]);
    expect(kernels.filter((name) => name !== 'clear_halo')).toEqual([
      'f32_convolution',
      'f32_hard_swish',
      'f32_pointwise',
      'f32_global_average_pool',
      'f32_vector',
      'f32_hard_swish',
      'f32_vector',
      'f32_affine',
      'f32_vector',
      'f32_convolution',
      'f32_pointwise',
    ]);
    expectNear(output, after(given, weights, 32, 32));
  });

  it('is not what an image is that is scaled first', async () => {
    const nodes: Node[] = [affine('scaled', 'input'), conv({ name: 'point', inputs: ['scaled'], inputChannels: 3 })];
    const weights = new Map(nodes.flatMap(floatOf));
    const { kernels, output } = await run(of(nodes, weights), [33, 35]);
    expect(kernels).toEqual(['f32_affine', 'f32_convolution']);
    expectNear(output, after(nodes, weights, 33, 35));
  });
});

describe('zeros around pixels', () => {
  it.each([
    ['to all sides', { kernel: [3, 3], padding: 'same' }, [1, 1, 1, 1]],
    ['below and to the right', { kernel: [3, 3], strides: [2, 2], padding: 'same' }, [0, 1, 0, 1]],
    ['above and to the left', { kernel: [2, 2], padding: [1, 0, 1, 0] }, [1, 0, 1, 0]],
    ['to the left and right', { kernel: [1, 3], padding: 'same' }, [0, 0, 1, 1]],
    ['above and below', { kernel: [3, 1], padding: 'same' }, [1, 1, 0, 0]],
    ['nowhere', { kernel: [2, 2], padding: 'valid' }, undefined],
  ] as const)('are written %s, whatever lay there', async (_, window, halo) => {
    const nodes: Node[] = [stem, conv({ name: 'last', inputs: ['stem'], ...window })];
    const weights = new Map(nodes.flatMap(floatOf));
    const { plan, kernels, words, output } = await run(of(nodes, weights), [32, 32]);
    const wanted = ['f32_convolution', 'f32_convolution'];
    if (halo) wanted.unshift('clear_halo');
    expect(kernels).toEqual(wanted);
    expectNear(output, after(nodes, weights, 32, 32));
    expect(plan.steps.map(({ first, count }) => [first, count])).toEqual([
      [0, halo ? 2 : 1],
      [halo ? 2 : 1, 1],
    ]);
    if (!halo) return;
    const [top, , left, right] = halo;
    expect([words(0, 'padTop'), words(0, 'padLeft'), words(0, 'rowsBelow')]).toEqual([top, left, halo[1]]);
    expect(words(0, 'outputRowStride')).toBe((left + 16 + right) * 8 * 4);
  });
});

describe('an image on lanes', () => {
  it('gets zeros around it as it is quantized, where only convolutions read it', async () => {
    const nodes: Node[] = [stem, pool];
    const { kernels, words } = await run(of(nodes, new Map(quantizedOf(stem)), ['input', 'stem']), [32, 32]);
    expect(kernels).toEqual(['clear_halo', 'lanes_quantize', 'pairs_convolution', 'lanes_dequantize', 'f32_global_average_pool']);
    // Its windows lie anywhere: no edge is asked for.
    expect(words(2, 'inputHeight')).toBeGreaterThan(32);
  });

  it('has no zeros where another reads it as one long row, and its windows are gathered', async () => {
    const nodes: Node[] = [affine('scaled', 'input'), { ...stem, inputs: ['scaled'] }, conv({ ...stem, name: 'other', inputs: ['input'] })];
    const weights = new Map<string, Weights>(nodes.flatMap(quantizedOf));
    const { kernels, words } = await run(of(nodes, weights, ['input', 'scaled', 'stem', 'other']), [32, 32]);
    expect(kernels.slice(0, 4)).toEqual(['lanes_quantize', 'lanes_affine', 'pairs_convolution', 'pairs_convolution']);
    for (const i of [2, 3]) expect(words(i, 'inputHeight')).toBe(32);
  });
});

it('gives each thread memory of its own to gather windows in', async () => {
  const weights = new Map(floatOf(stem));
  for (const threads of [1, 3]) {
    const { plan, words, output } = await run(of([stem], weights), [33, 37], threads);
    const stretches = [
      [words(0, 'input'), 33 * 37 * 3 * 4],
      [words(0, 'output'), 17 * 19 * 8 * 4],
      [words(0, 'scratch'), threads * words(0, 'scratchBytes')],
    ] as [number, number][];
    stretches.sort(([a], [b]) => a - b);
    stretches.forEach(([from, bytes], i) => {
      expect(bytes).toBeGreaterThan(0);
      expect(from + bytes).toBeLessThanOrEqual(stretches[i + 1]?.[0] ?? plan.pointer);
    });
    const [[first]] = stretches as [[number, number]];
    expect((stretches.at(-1) as [number, number])[0]).toBeLessThan(first + plan.arenaBytes);
    expectNear(output, after([stem], weights, 33, 37));
  }
});

it('takes no activation and no pool of the image itself', async () => {
  for (const node of [
    { kind: 'activation', name: 'first', inputs: ['input'], activation: 'relu' },
    { kind: 'globalAveragePool', name: 'first', inputs: ['input'] },
  ] as const) {
    await expect(run(of([node], new Map()), [32, 32])).rejects.toThrow(`first: a ${node.kind} of the image itself is not supported.`);
  }
});
