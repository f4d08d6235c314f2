import { type Graph, isCurve, type Node } from '../../src/graph/graph.js';
import { summarize } from '../../src/graph/summary.js';
import { conv } from './nodes.js';

const NODES: readonly Node[] = [
  conv({
    name: 'stem',
    inputs: ['input'],
    inputChannels: 3,
    kernel: [3, 3],
    strides: [2, 2],
    padding: 'same',
    batchNorm: true,
    activation: 'relu',
  }),
  conv({ name: 'blocks.0.expand', inputs: ['stem'], channels: 16, batchNorm: true }),
  { kind: 'activation', name: 'blocks.0.expand.curve', inputs: ['blocks.0.expand'], activation: 'sigmoid' },
  conv({
    name: 'blocks.0.depthwise',
    inputs: ['blocks.0.expand.curve'],
    inputChannels: 16,
    channels: 16,
    groups: 16,
    kernel: [5, 5],
    strides: [2, 2],
    padding: 'same',
    batchNorm: true,
  }),
  { kind: 'activation', name: 'blocks.0.depthwise.curve', inputs: ['blocks.0.depthwise'], activation: 'swish' },
  conv({ name: 'blocks.0.project', inputs: ['blocks.0.depthwise.curve'], inputChannels: 16, batchNorm: true }),
  { kind: 'globalAveragePool', name: 'pool', inputs: ['blocks.0.project'] },
  conv({ name: 'gate', inputs: ['pool'], activation: 'hardSigmoid' }),
  { kind: 'multiply', name: 'blocks.0.gated', inputs: ['blocks.0.project', 'gate'] },
  conv({ name: 'blocks.1.project', inputs: ['blocks.0.gated'], activation: 'relu6' }),
  { kind: 'globalAveragePool', name: 'pooled', inputs: ['blocks.1.project'] },
  conv({ name: 'classifier', inputs: ['pooled'], channels: 5 }),
];
const GRAPH: Graph = {
  architecture: 'test',
  width: 0.5,
  resolution: 32,
  classes: 5,
  nodes: NODES,
  outputs: { logits: 'classifier', embedding: 'pooled' },
};

it('says what each layer is, and counts its numbers and multiply-adds', () => {
  const { layers } = summarize(GRAPH);
  expect(
    layers.map(({ name, kind, output, parameters, madds }) => `${name}: ${kind} ${output.join('x')}, ${parameters}, ${madds}`),
  ).toEqual([
    `stem: convolution 16x16x8, ${27 * 8 + 16}, ${16 * 16 * 27 * 8}`,
    `blocks.0.expand: pointwise 16x16x16, ${8 * 16 + 32}, ${16 * 16 * 8 * 16}`,
    'blocks.0.expand.curve: activation 16x16x16, 0, 0',
    `blocks.0.depthwise: depthwise 8x8x16, ${25 * 16 + 32}, ${8 * 8 * 25 * 16}`,
    'blocks.0.depthwise.curve: activation 8x8x16, 0, 0',
    `blocks.0.project: pointwise 8x8x8, ${16 * 8 + 16}, ${8 * 8 * 16 * 8}`,
    'pool: globalAveragePool 1x1x8, 0, 0',
    `gate: fullyConnected 1x1x8, ${64 + 8}, 64`,
    'blocks.0.gated: multiply 8x8x8, 0, 0',
    `blocks.1.project: pointwise 8x8x8, ${64 + 8}, ${64 * 64}`,
    'pooled: globalAveragePool 1x1x8, 0, 0',
    `classifier: fullyConnected 1x1x5, ${40 + 5}, 40`,
  ]);
});

it('gives a row a block, and none for what multiplies nothing', () => {
  const { blocks, parameters, madds, ...rest } = summarize(GRAPH);
  expect(rest).toMatchObject({ architecture: 'test', width: 0.5, resolution: 32, classes: 5 });
  expect(blocks.reduce((sum, block) => sum + block.parameters, 0)).toBe(parameters);
  expect(blocks.reduce((sum, block) => sum + block.madds, 0)).toBe(madds);
  const plain = { kernel: 1, stride: 1, squeezeExcite: false };
  expect(blocks.map(({ parameters: _, madds: __, ...block }) => block)).toEqual([
    { ...plain, name: 'stem', input: [32, 32, 3], output: [16, 16, 8], kernel: 3, stride: 2, activation: 'relu' },
    // A curve behind the spatial convolution is its activation.
    {
      ...plain,
      name: 'blocks.0',
      input: [16, 16, 8],
      output: [8, 8, 8],
      kernel: 5,
      stride: 2,
      expand: 16,
      squeezeExcite: true,
      activation: 'swish',
    },
    { ...plain, name: 'gate', input: [1, 1, 8], output: [1, 1, 8], activation: 'hardSigmoid' },
    { ...plain, name: 'blocks.1', input: [8, 8, 8], output: [8, 8, 8], activation: 'relu6' },
    { ...plain, name: 'classifier', input: [1, 1, 8], output: [1, 1, 5], activation: 'none' },
  ]);
});

it('counts at other sizes', () => {
  const { layers } = summarize(GRAPH, 64, 32);
  expect(layers[0]).toMatchObject({ output: [32, 16, 8], madds: 32 * 16 * 27 * 8 });
  expect(layers[1]).toMatchObject({ kind: 'pointwise' });
});

it('tells curves from clamps', () => {
  expect((['sigmoid', 'swish', 'none', 'relu', 'relu6', 'hardSwish', 'hardSigmoid'] as const).map(isCurve)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
});
