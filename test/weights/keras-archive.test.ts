import type { ConvNode, Node } from '../../src/graph/graph.js';
import type { FloatWeights, Network } from '../../src/graph/network.js';
import { loadModel } from '../../src/load.js';
import { localModel } from '../../src/model/local-model.js';
import { pseudoRandom } from '../pseudo-random.js';
import { randomNetwork } from '../random-network.js';
import { nestedArchive } from './keras-files.js';
import { isReady, type KerasLayer, kerasArchive, places } from './keras-writer.js';
import { worst } from './wild.js';
import { storedZip } from './zip-writer.js';

const SIDE = 64;
const image = { data: pseudoRandom('x', SIDE * SIDE * 3), shape: [1, SIDE, SIDE, 3] } as const;

beforeAll(async () => {
  await isReady;
});

/** Layer after layer, batch norms and activations on their own, Dropout and Dense at the end; and the network that it is. */
async function sequential(): Promise<{ file: Uint8Array; network: Network }> {
  const placeOf = places();
  const layers: KerasLayer[] = [{ class_name: 'InputLayer', config: { batch_shape: [null, SIDE, SIDE, 3] } }];
  const variables = new Map<string, [Float32Array, readonly number[]][]>();
  const nodes: Node[] = [];
  const weights = new Map<string, FloatWeights>();
  const values = (name: string, count: number, scale: number, offset = 0) => pseudoRandom(name, count, (u) => offset + scale * u);
  let from = 'input';
  const conv = (kind: 'Conv2D' | 'DepthwiseConv2D', inputChannels: number, channels: number, side: number, stride: number) => {
    const name = `layer${nodes.length}`;
    const depthwise = kind === 'DepthwiseConv2D';
    const taps = side * side * (depthwise ? 1 : inputChannels);
    const filter = values(`${name} w`, taps * channels, 2 / Math.sqrt(taps));
    const shape = depthwise ? [side, side, channels, 1] : [side, side, inputChannels, channels];
    layers.push({ class_name: kind, config: { strides: [stride, stride], padding: 'same', use_bias: false, activation: 'linear' } });
    variables.set(placeOf(kind), [[filter, shape]]);
    const norm = { gamma: values('g', channels, 0.3, 1), beta: values('b', channels, 0.3), mean: values('m', channels, 0.2) };
    const variance = values('v', channels, 0.4, 1);
    layers.push({ class_name: 'BatchNormalization', config: { epsilon: 0.001, scale: true, center: true } });
    variables.set(
      placeOf('BatchNormalization'),
      [norm.gamma, norm.beta, norm.mean, variance].map((vector) => [vector, [channels]]),
    );
    layers.push({ class_name: 'ReLU', config: { max_value: 6, negative_slope: 0, threshold: 0 } });
    const gain = norm.gamma.map((g, c) => g / Math.sqrt((variance[c] as number) + 0.001));
    weights.set(name, {
      filter: filter.map((w, i) => w * (gain[i % channels] as number)),
      bias: norm.beta.map((b, c) => b - (norm.mean[c] as number) * (gain[c] as number)),
    });
    const node: ConvNode = {
      kind: 'conv',
      name,
      inputs: [from],
      kernel: [side, side],
      strides: [stride, stride],
      padding: 'same',
      inputChannels,
      channels,
      groups: depthwise ? channels : 1,
      activation: 'relu6',
    };
    nodes.push(node);
    from = name;
  };
  conv('Conv2D', 3, 16, 3, 2);
  conv('DepthwiseConv2D', 16, 16, 3, 2);
  conv('Conv2D', 16, 24, 1, 1);
  nodes.push({ kind: 'globalAveragePool', name: 'pool', inputs: [from] });
  const dense = { filter: values('dense w', 24 * 5, 0.4), bias: values('dense b', 5, 0.3) };
  layers.push({ class_name: 'GlobalAveragePooling2D', config: {} }, { class_name: 'Dropout', config: { rate: 0.2 } });
  layers.push({ class_name: 'Dense', config: { units: 5, activation: 'softmax', use_bias: true } });
  variables.set(placeOf('Dense'), [
    [dense.filter, [24, 5]],
    [dense.bias, [5]],
  ]);
  weights.set('classifier', dense);
  const plain = { kind: 'conv', kernel: [1, 1], strides: [1, 1], padding: 'valid', groups: 1, activation: 'none' } as const;
  nodes.push({ ...plain, name: 'classifier', inputs: ['pool'], inputChannels: 24, channels: 5 });
  const outputs = { logits: 'classifier', embedding: 'pool' };
  const graph = { architecture: 'custom', width: 1, resolution: SIDE, classes: 5, nodes, outputs };
  const named = layers.map((layer, i) => ({ ...layer, config: { name: `l${i}`, ...layer.config } }));
  return {
    file: await kerasArchive({ class_name: 'Sequential', config: { name: 'sequential', layers: named } }, variables),
    network: {
      graph,
      weights,
      lanes: new Map(),
      preprocessing: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], crop: 1, interpolation: 'bilinear' },
    },
  };
}

it.each([
  'mobilenet_v2',
  'mobilenet_v3_small',
] as const)('reads a %s inside of a Sequential from a .keras archive', async (architecture) => {
  const own = randomNetwork(architecture, { width: 0.35, classes: 9, resolution: SIDE, padding: 'same' });
  const model = await loadModel(await nestedArchive(own));
  expect(model).toMatchObject({ architecture, classes: 9, inputSize: SIDE, precision: 'float32' });
  expect(worst(await model.predict(image), await (await localModel(own)).predict(image))).toBeLessThan(1e-5);
});

it('reads a Sequential of single layers from a .keras archive', async () => {
  const { file, network } = await sequential();
  const model = await loadModel(file);
  expect(model).toMatchObject({ classes: 5, inputSize: SIDE, preprocessing: network.preprocessing });
  expect(worst(await model.predict(image), await (await localModel(network)).predict(image))).toBeLessThan(1e-5);
});

it('says what an archive lacks, and which layer', async () => {
  const empty = storedZip({ 'config.json': new TextEncoder().encode('{}') });
  await expect(loadModel(empty)).rejects.toMatchObject({ code: 'ERR_MODEL_FORMAT' });
  const { file } = await sequential();
  const spelled = Buffer.from(file).toString('latin1').replace('"Dropout"', '"Dropou!"');
  await expect(loadModel(new Uint8Array(Buffer.from(spelled, 'latin1')))).rejects.toThrow(/is a Dropou!/);
});
