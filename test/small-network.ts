import type { Node } from '../src/graph/graph.js';
import { type FloatWeights, IMAGENET_PREPROCESSING, type Network } from '../src/graph/network.js';
import type { Tensor } from '../src/inputs.js';
import { conv } from './graph/nodes.js';
import { random, uniform } from './random-network.js';

// A network of every kind of layer, so small that an inference takes less than a millisecond.

export const NODES: readonly Node[] = [
  conv({ name: 'stem', inputs: ['input'], inputChannels: 3, kernel: [3, 3], strides: [2, 2], padding: 'same', activation: 'hardSwish' }),
  conv({ name: 'depthwise', inputs: ['stem'], groups: 8, kernel: [3, 3], strides: [2, 2], padding: 'same', activation: 'relu' }),
  { kind: 'globalAveragePool', name: 'squeeze', inputs: ['depthwise'] },
  conv({ name: 'gate', inputs: ['squeeze'], activation: 'hardSigmoid' }),
  { kind: 'multiply', name: 'gated', inputs: ['depthwise', 'gate'] },
  conv({ name: 'project', inputs: ['gated'] }),
  conv({ name: 'expand', inputs: ['project'], channels: 16, activation: 'relu6' }),
  conv({
    name: 'second',
    inputs: ['expand'],
    inputChannels: 16,
    channels: 16,
    groups: 16,
    kernel: [5, 5],
    padding: 'same',
    activation: 'relu6',
  }),
  conv({ name: 'again', inputs: ['second', 'project'], inputChannels: 16 }),
  { kind: 'globalAveragePool', name: 'pool', inputs: ['again'] },
  { kind: 'activation', name: 'swish', inputs: ['pool'], activation: 'hardSwish' },
  conv({ name: 'classifier', inputs: ['swish'], channels: 5 }),
];

export function smallNetwork(seed = 8): Network {
  const next = random(seed);
  const weights = new Map<string, FloatWeights>();
  for (const node of NODES) {
    if (node.kind !== 'conv') continue;
    const inputs = (node.kernel[0] * node.kernel[1] * node.inputChannels) / node.groups;
    const bound = Math.sqrt(6 / inputs);
    weights.set(node.name, { filter: uniform(next, inputs * node.channels, -bound, bound), bias: uniform(next, node.channels, -0.2, 0.4) });
  }
  const outputs = { logits: 'classifier', embedding: 'pool' };
  const graph = { architecture: 'small', width: 1, resolution: 32, classes: 5, nodes: NODES, outputs };
  return { graph, weights, lanes: new Map(), preprocessing: IMAGENET_PREPROCESSING };
}

export const picture = (seed: number, height = 32, width = height): Tensor => ({
  data: uniform(random(seed), height * width * 3, -2, 2),
  shape: [1, height, width, 3],
});
