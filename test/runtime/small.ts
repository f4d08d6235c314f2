import type { Node } from '../../src/graph/graph.js';
import { type FloatWeights, IMAGENET_PREPROCESSING, type Network, type QuantizedWeights, type Weights } from '../../src/graph/network.js';
import type { Pixels, Tensor } from '../../src/inputs.js';
import type { Session } from '../../src/runtime/session.js';
import type { TensorView } from '../../src/runtime/tensors.js';
import { follow, type Values } from '../graph/interpret.js';
import { conv } from '../graph/nodes.js';
import { random, uniform } from '../random-network.js';

// A network of six layers: small, and all that a session does.

const next = random(8);
export const NODES: readonly Node[] = [
  conv({ name: 'stem', inputs: ['input'], inputChannels: 3, kernel: [3, 3], strides: [2, 2], padding: 'same', activation: 'relu6' }),
  conv({ name: 'depthwise', inputs: ['stem'], groups: 8, kernel: [3, 3], padding: 'same', activation: 'relu' }),
  conv({ name: 'project', inputs: ['depthwise', 'stem'] }),
  { kind: 'globalAveragePool', name: 'pool', inputs: ['project'] },
  { kind: 'activation', name: 'swish', inputs: ['pool'], activation: 'hardSwish' },
  conv({ name: 'classifier', inputs: ['swish'], channels: 5 }),
];
export const floats = new Map<string, FloatWeights>();
for (const node of NODES) {
  if (node.kind !== 'conv') continue;
  const size = (node.kernel[0] * node.kernel[1] * node.inputChannels * node.channels) / node.groups;
  floats.set(node.name, { filter: uniform(next, size), bias: uniform(next, node.channels) });
}
export const network = (change: Partial<Network> = {}): Network => ({
  graph: { architecture: 'test', width: 1, resolution: 32, classes: 5, nodes: NODES, outputs: { logits: 'classifier', embedding: 'pool' } },
  weights: floats,
  lanes: new Map(),
  preprocessing: IMAGENET_PREPROCESSING,
  ...change,
});
/** The classifier on integers, all others real. */
export const mixed = (): Network => {
  const own: QuantizedWeights = {
    filter: Int8Array.from({ length: 40 }, (_, i) => ((i * 37) % 255) - 127),
    scale: new Float32Array(5).fill(0.01),
    zeroPoint: 0,
    bias: new Int32Array(5),
  };
  const lanes = { scale: 0.01, low: -3000, high: 3000 };
  return network({
    weights: new Map<string, Weights>([...floats, ['classifier', own]]),
    lanes: new Map([
      ['swish', lanes],
      ['classifier', lanes],
    ]),
  });
};
export const tensor = (height: number, width: number, seed = 1): Tensor => ({
  data: uniform(random(seed), height * width * 3, -2, 2),
  shape: [1, height, width, 3],
});
export const expected = ({ data, shape }: Tensor) =>
  follow(NODES, floats, { input: { shape: [shape[1], shape[2], 3], data: [...data] } }).get('classifier') as Values;
export const answer = (session: Session, input: Tensor | Pixels) => {
  const plan = session.infer(() => session.put(input));
  return [...session.output(plan.results.logits as TensorView)];
};
export function expectNear(actual: readonly number[], wanted: readonly number[], tolerance = 1e-5): void {
  expect(actual).toHaveLength(wanted.length);
  wanted.forEach((value, i) => {
    expect(Math.abs((actual[i] as number) - value)).toBeLessThan(tolerance * Math.max(1, Math.abs(value)));
  });
}
