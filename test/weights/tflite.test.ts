import { tfliteModel } from '../../scripts/tflite.mjs';
import { ARCHITECTURE_NAMES } from '../../src/architecture/tables.js';
import { UnsupportedModelError } from '../../src/errors.js';
import { fuse } from '../../src/graph/fusion.js';
import { type ConvNode, imageInput, inferShapes, type Node } from '../../src/graph/graph.js';
import { IMAGENET_PREPROCESSING, type Network } from '../../src/graph/network.js';
import type { Tensor } from '../../src/inputs.js';
import { loadModel } from '../../src/load.js';
import { localModel } from '../../src/model/local-model.js';
import { pseudoRandom } from '../pseudo-random.js';
import { random, randomNetwork, uniform } from '../random-network.js';
import { cosine } from './wild.js';

const SIDE = 64;
const image: Tensor = { data: pseudoRandom('x', SIDE * SIDE * 3), shape: [1, SIDE, SIDE, 3] };
const shapesOf = ({ graph }: Network) => inferShapes(graph.nodes, imageInput(graph.resolution, graph.resolution));

async function expectSame(network: Network): Promise<void> {
  const expected = await (await localModel(network)).predict(image);
  const model = await loadModel(tfliteModel(network, shapesOf(network)));
  const actual = await model.predict(image);
  expect(actual).toHaveLength(expected.length);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  expect(largest).toBeGreaterThan(1e-3);
  expected.forEach((value, i) => {
    expect(Math.abs((actual[i] as number) - value)).toBeLessThan(1e-5 * largest);
  });
}

it.each(ARCHITECTURE_NAMES)('reads a float %s, with the PAD of converted PyTorch networks', async (architecture) => {
  await expectSame(fuse(randomNetwork(architecture, { width: 0.5, classes: 9, resolution: SIDE })));
});

it.each([
  ['float16', 0.99999],
  ['dynamicRange', 0.999],
] as const)('reads weights in %s as a float network', async (weights, least) => {
  const network = fuse(randomNetwork('mobilenet_v3_small', { width: 0.5, classes: 9, resolution: SIDE }));
  const model = await loadModel(tfliteModel(network, shapesOf(network), weights));
  expect(model).toMatchObject({ architecture: 'mobilenet_v3_small', classes: 9, precision: 'float32' });
  const [a, b] = [await model.predict(image), await (await localModel(network)).predict(image)];
  expect(a.indexOf(Math.max(...a))).toBe(b.indexOf(Math.max(...b)));
  expect(cosine(a, b)).toBeGreaterThan(least);
  expect(a).not.toEqual(b); // the file holds rounded weights
});

/** MobileNetEdgeTPU's blocks: where others expand and filter depthwise, one dense 3x3 convolution does both. */
function edgeTpu(): Network {
  const nodes: Node[] = [];
  const weights: Network['weights'] = new Map();
  const next = random(3);
  const conv = (
    name: string,
    from: string[],
    inputs: number,
    channels: number,
    kernel: number,
    stride: number,
    more: Partial<ConvNode>,
  ) => {
    const node: ConvNode = {
      name,
      kind: 'conv',
      inputs: from,
      kernel: [kernel, kernel],
      strides: [stride, stride],
      padding: kernel === 1 ? 'valid' : 'same',
      inputChannels: inputs,
      channels,
      groups: 1,
      activation: 'relu',
      ...more,
    };
    const fanIn = (kernel * kernel * inputs) / node.groups;
    nodes.push(node);
    (weights as Map<string, unknown>).set(name, { filter: uniform(next, fanIn * channels, -0.3, 0.3), bias: uniform(next, channels) });
  };
  conv('stem', ['input'], 3, 16, 3, 2, {});
  conv('fused1', ['stem'], 16, 64, 3, 2, {});
  conv('project1', ['fused1'], 64, 24, 1, 1, { activation: 'none' });
  conv('fused2', ['project1'], 24, 96, 3, 1, {});
  conv('project2', ['fused2', 'project1'], 96, 24, 1, 1, { activation: 'none' });
  conv('expand3', ['project2'], 24, 72, 1, 1, {});
  conv('depthwise3', ['expand3'], 72, 72, 5, 2, { groups: 72 });
  conv('project3', ['depthwise3'], 72, 40, 1, 1, { activation: 'none' });
  nodes.push({ name: 'pool', kind: 'globalAveragePool', inputs: ['project3'] });
  conv('classifier', ['pool'], 40, 7, 1, 1, { activation: 'none' });
  const outputs = { logits: 'classifier', embedding: 'pool' };
  const graph = { architecture: 'custom', width: 1, resolution: SIDE, classes: 7, nodes, outputs };
  return { graph, weights, lanes: new Map(), preprocessing: IMAGENET_PREPROCESSING };
}

it("reads MobileNetEdgeTPU's fused expansions", () => expectSame(edgeTpu()));

it('refuses what it would compute wrongly, by name', async () => {
  const network = edgeTpu();
  const shapes = shapesOf(network);
  const asymmetric = network.graph.nodes.map((node) => (node.name === 'fused1' ? ({ ...node, padding: [1, 0, 1, 0] } as ConvNode) : node));
  const padded = { ...network, graph: { ...network.graph, nodes: asymmetric } };
  const good = tfliteModel(padded, shapes);
  // The paddings of the only PAD: rows of [before, after] for batch, height, width, channels.
  const paddings = new Uint8Array(Int32Array.of(0, 0, 1, 0, 1, 0, 0, 0).buffer);
  const at = Buffer.from(good).indexOf(paddings);
  expect(at).toBeGreaterThan(0);
  await expect(loadModel(good)).resolves.toBeDefined();
  const ofChannels = good.slice();
  ofChannels[at + 24] = 1;
  await expect(loadModel(ofChannels)).rejects.toThrow(UnsupportedModelError);
  await expect(loadModel(ofChannels)).rejects.toThrow('a PAD of more than the sides of an image');
});
