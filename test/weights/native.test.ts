import { INPUT, type Node } from '../../src/graph/graph.js';
import { IMAGENET_PREPROCESSING, type Network, type QuantizedWeights, type Weights } from '../../src/graph/network.js';
import {
  checkPreprocessing,
  linesOf,
  parseJson,
  readLabels,
  readPreprocessing,
  readTeachable,
  SLIM_PREPROCESSING,
} from '../../src/weights/metadata.js';
import { writeNative } from '../../src/weights/native.js';
import { isNative, readNative } from '../../src/weights/native-reader.js';
import { readPretrained } from '../../src/weights/pretrained.js';
import { readSafetensors } from '../../src/weights/safetensors-reader.js';
import type { RawTensor } from '../../src/weights/tensors.js';
import { conv } from '../graph/nodes.js';

// This package's own files, and what any file's metadata say: whoever wrote them may have meant ill.

const integers = (seed: number, channels: number, inputs: number, zeroPoint = 0): QuantizedWeights => ({
  filter: Int8Array.from({ length: channels * inputs }, (_, i) => ((i + seed) % 200) - 100),
  scale: Float32Array.from({ length: channels }, (_, i) => (i + 1) / 64),
  zeroPoint,
  bias: Int32Array.from({ length: channels }, (_, i) => i * 100 - seed),
});
const NODES: readonly Node[] = [
  { kind: 'affine', name: 'scaled', inputs: [INPUT], alpha: 2, beta: -1, low: -1 },
  conv({ name: 'stem', inputs: ['scaled'], inputChannels: 3, kernel: [3, 3], strides: [2, 2], padding: [1, 0, 1, 0] }),
  conv({ name: 'depthwise', inputs: ['stem'], groups: 8, kernel: [3, 1], padding: 'same', activation: 'relu6' }),
  { kind: 'add', name: 'sum', inputs: ['depthwise', 'stem'], activation: 'none' },
  { kind: 'globalAveragePool', name: 'pool', inputs: ['sum'] },
  { kind: 'activation', name: 'gate', inputs: ['pool'], activation: 'sigmoid' },
  { kind: 'multiply', name: 'gated', inputs: ['pool', 'gate'] },
  conv({ name: 'classifier', inputs: ['gated'], channels: 2 }),
];
const OWN: Network = {
  graph: {
    architecture: 'custom',
    width: 0.5,
    resolution: 32,
    classes: 2,
    nodes: NODES,
    outputs: { logits: 'classifier', embedding: 'pool' },
    probabilities: 'sigmoid',
  },
  weights: new Map<string, Weights>([
    ['stem', { filter: Float32Array.from({ length: 216 }, (_, i) => i / 8), bias: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) }],
    ['depthwise', integers(3, 8, 3, -128)],
    ['classifier', integers(5, 2, 8)],
  ]),
  lanes: new Map([
    ['stem', { scale: Float32Array.from({ length: 8 }, (_, i) => (i + 1) / 16), low: -32768, high: 32767 }],
    ['depthwise', { scale: Float32Array.from({ length: 8 }, (_, i) => (i + 1) / 32), low: 0, high: 100, unit: 0.25 }],
    ['gated', { scale: 0.5, low: -5, high: 5 }],
    ['classifier', { scale: 0.125, low: -128, high: 127 }],
  ]),
  preprocessing: IMAGENET_PREPROCESSING,
  labels: ['cat', 'dog'],
};
const FILE = readSafetensors(writeNative(OWN));

it('gives a network back as it was, int8 and float layers, scales a tensor and a channel', () => {
  expect(isNative(FILE)).toBe(true);
  expect(isNative({ ...FILE, metadata: { format: 'pt' } })).toBe(false);
  expect(readNative(FILE)).toStrictEqual(OWN);
  const { labels: _, ...unnamed } = OWN;
  const back = readNative(readSafetensors(writeNative(unnamed)));
  expect(back).toEqual(unnamed);
  expect(back).not.toHaveProperty('labels');
});

it('gives a network without classes back', () => {
  const { labels: _, ...own } = OWN;
  const { probabilities: __, ...graph } = own.graph;
  const features: Network = { ...own, graph: { ...graph, classes: 0, outputs: { embedding: 'classifier' } } };
  expect(readNative(readSafetensors(writeNative(features)))).toStrictEqual(features);
});

it('keeps a layer in tensors of its own', () => {
  const shapes = Object.fromEntries([...FILE.tensors].map(([name, { dtype, shape }]) => [name, `${dtype} ${shape}`]));
  expect(shapes).toEqual({
    'stem.filter': 'F32 3,3,3,8',
    'stem.bias': 'F32 8',
    'depthwise.filter': 'I8 3,1,1,8',
    'depthwise.bias': 'I32 8',
    'depthwise.scale': 'F32 8',
    'classifier.filter': 'I8 1,1,8,2',
    'classifier.bias': 'I32 2',
    'classifier.scale': 'F32 2',
    'stem.lanes': 'F32 8',
    'depthwise.lanes': 'F32 8',
  });
  const { version, zeroPoints, lanes } = JSON.parse(FILE.metadata['network'] as string);
  expect({ version, zeroPoints }).toEqual({ version: 2, zeroPoints: { depthwise: -128 } });
  expect(lanes).toEqual({
    stem: { low: -32768, high: 32767 },
    depthwise: { low: 0, high: 100, unit: 0.25 },
    gated: { scale: 0.5, low: -5, high: 5 },
    classifier: { scale: 0.125, low: -128, high: 127 },
  });
});

/** What is read once the description was changed; a path of keys, and the value there. */
function changed(path: string, value: unknown, version?: number): Network {
  const description = JSON.parse(FILE.metadata['network'] as string);
  const keys = path.split('/');
  let at = description;
  for (const key of keys.slice(0, -1)) at = at[key];
  at[keys.at(-1) as string] = value;
  if (version !== undefined) description.version = version;
  return readNative({ ...FILE, metadata: { ...FILE.metadata, network: JSON.stringify(description) } });
}

it('reads files of version 1, whose graph names its embedding and ends with its logits', () => {
  const graph = { ...OWN.graph, embedding: 'pool', outputs: undefined };
  expect(changed('graph', graph, 1).graph.outputs).toEqual({ logits: 'classifier', embedding: 'pool' });
  expect(() => changed('graph', { ...graph, embedding: undefined }, 1)).toThrow('no node makes its output ""');
  expect(() => changed('graph', { ...graph, nodes: [] }, 1)).toThrow('it has no nodes');
  for (const nodes of ['x', {}, undefined]) expect(() => changed('graph', { ...graph, nodes }, 1)).toThrow('it has no nodes');
  expect(() => changed('graph', { ...graph, nodes: [null] }, 1)).toThrow('a node has no name or inputs');
});

describe('a description', () => {
  it.each<[string, unknown]>([
    ['graph/nodes/1/kernel/0', 1],
    ['graph/resolution', 512],
    ['graph/nodes/1/padding', [0, 1, 0, 1]],
    ['graph/nodes/1/padding', 'valid'],
    ['graph/nodes/2/activation', 'hardSigmoid'],
    ['graph/nodes/3/activation', 'relu'],
    ['graph/nodes/5/activation', 'swish'],
    ['graph/nodes/5/activation', 'hardSwish'],
    ['graph/probabilities', undefined],
    ['graph/nodes/0/high', 7],
    ['zeroPoints/classifier', 128],
    ['lanes/gated/low', -32768],
    ['lanes/gated/high', 32767],
  ])('may say %s %j', (path, value) => {
    if (path === 'graph/nodes/1/kernel/0') expect(() => changed(path, value)).toThrow('"stem.filter" has shape [3,3,3,8]; [1,3,3,8]');
    else expect(changed(path, value)).toBeDefined();
  });

  const damaged = "the file's description of the network is damaged: ";
  it.each<[string, unknown, string]>([
    ['version', 3, 'the file has format version 3; this release reads versions 1 to 2.'],
    ['version', 0, 'the file has format version 0'],
    ['graph', null, `${damaged}it has no nodes`],
    ['graph', 'x', `${damaged}it has no nodes`],
    ['graph/nodes', {}, `${damaged}it has no nodes`],
    ['graph/nodes', [], `${damaged}it has no nodes`],
    ['graph/nodes', new Array(10001).fill(NODES[0]), `${damaged}10001 nodes`],
    ['graph/architecture', 7, `${damaged}it names no architecture`],
    ['graph/width', 0, `${damaged}its width is 0`],
    ['graph/width', '1', `${damaged}its width is 1`],
    ['graph/resolution', 31, `${damaged}its resolution is 31`],
    ['graph/resolution', 513, `${damaged}its resolution is 513`],
    ['graph/resolution', 33.5, `${damaged}its resolution is 33.5`],
    ['graph/classes', -1, `${damaged}its number of classes is -1`],
    ['graph/classes', 1e6 + 1, `${damaged}its number of classes is 1000001`],
    ['graph/classes', 3, `${damaged}its logits are 1x1x2 values, not 3`],
    ['graph/outputs/logits', 'nothing', `${damaged}no node makes its output "nothing"`],
    ['graph/outputs/logits', 'stem', `${damaged}its logits are 16x16x8 values, not 2`],
    ['graph/outputs/embedding', 'nothing', `${damaged}no node makes its output "nothing"`],
    ['graph/outputs/embedding', undefined, `${damaged}no node makes its output "undefined"`],
    ['graph/outputs', undefined, `${damaged}no node makes its output "undefined"`],
    ['graph/probabilities', 'softmax', `${damaged}its probabilities are by "softmax"`],
    ['graph/nodes/4', 'pool', `${damaged}a node has no name or inputs`],
    ['graph/nodes/4', null, `${damaged}a node has no name or inputs`],
    ['graph/nodes/4/name', 4, `${damaged}a node has no name or inputs`],
    ['graph/nodes/4/inputs', 'sum', `${damaged}a node has no name or inputs`],
    ['graph/nodes/3/inputs', ['depthwise', 3], `${damaged}a node has no name or inputs`],
    ['graph/nodes/4/inputs', [3], `${damaged}a node has no name or inputs`],
    ['graph/nodes/4/inputs', ['late'], 'pool: it reads "late", but no earlier node makes that tensor.'],
    ['graph/nodes/4/kind', 'shell', `${damaged}pool is of unknown kind "shell"`],
    ['graph/nodes/1/kernel', 3, `${damaged}stem has no kernel or strides`],
    ['graph/nodes/1/kernel', [3], `${damaged}stem has no kernel or strides`],
    ['graph/nodes/1/strides', [1, 1, 1], `${damaged}stem has no kernel or strides`],
    ['graph/nodes/1/strides/1', 0, `${damaged}stem: a side of its kernel or stride is 0`],
    ['graph/nodes/1/kernel/0', 65, `${damaged}stem: a side of its kernel or stride is 65`],
    ['graph/nodes/1/padding', 'full', `${damaged}stem has padding "full"`],
    ['graph/nodes/1/padding', [1, 1, 1], `${damaged}stem has a padding of 3 numbers`],
    ['graph/nodes/1/padding/3', -1, `${damaged}stem: its padding is -1`],
    ['graph/nodes/1/padding/0', 65, `${damaged}stem: its padding is 65`],
    ['graph/nodes/1/inputChannels', 0, `${damaged}stem: its number of input channels is 0`],
    ['graph/nodes/1/channels', 1e6 + 1, `${damaged}stem: its number of channels is 1000001`],
    ['graph/nodes/1/groups', 3, `${damaged}stem has 3 groups`],
    ['graph/nodes/2/groups', 4, `${damaged}depthwise has 4 groups`],
    ['graph/nodes/2/channels', 16, `${damaged}depthwise has 8 groups`],
    ['graph/nodes/2/activation', 'swish', `${damaged}depthwise has activation "swish"`],
    ['graph/nodes/3/activation', 'sigmoid', `${damaged}sum has activation "sigmoid"`],
    ['graph/nodes/5/activation', 'tanh', `${damaged}gate has activation "tanh"`],
    ['graph/nodes/0/alpha', null, `${damaged}scaled has a factor of null`],
    ['graph/nodes/0/beta', 'x', `${damaged}scaled has a factor of x`],
    ['graph/nodes/0/low', 'x', `${damaged}scaled has a factor of x`],
    ['graph/nodes/0/high', 'x', `${damaged}scaled has a factor of x`],
    ['zeroPoints/depthwise', 129, '"depthwise": zero point 129 cannot be.'],
    ['zeroPoints/depthwise', 0.5, '"depthwise": zero point 0.5 cannot be.'],
    ['lanes/nothing', { scale: 1, low: 0, high: 1 }, 'the range of tensor "nothing" is damaged or of no tensor of the network.'],
    ['lanes/gated', null, 'the range of tensor "gated" is damaged'],
    ['lanes/gated/low', -32769, 'the range of tensor "gated" is damaged'],
    ['lanes/gated/low', 0.5, 'the range of tensor "gated" is damaged'],
    ['lanes/gated/low', 5, 'the range of tensor "gated" is damaged'],
    ['lanes/gated/high', 32768, 'the range of tensor "gated" is damaged'],
    ['lanes/gated/high', 5.5, 'the range of tensor "gated" is damaged'],
    ['lanes/gated/scale', 0, 'the scale of tensor "gated" is to be above zero.'],
    ['lanes/gated/scale', '1', 'the scale of tensor "gated" is to be above zero.'],
    ['lanes/gated/scale', undefined, 'tensor "gated.lanes" is missing.'],
    ['lanes/depthwise/unit', -1, 'the scale of tensor "depthwise" is to be above zero.'],
    ['lanes/stem', undefined, 'no place for: stem.lanes'],
    ['preprocessing', undefined, 'preprocessing is { mean, std: three numbers each'],
  ])('that says %s %j is refused', (path, value, message) => {
    expect(() => changed(path, value)).toThrow(message);
  });

  it('may say nothing of zero points and of ranges', () => {
    expect((changed('zeroPoints', undefined).weights.get('depthwise') as QuantizedWeights).zeroPoint).toBe(0);
    expect(() => changed('lanes', undefined)).toThrow('no place for: stem.lanes, depthwise.lanes.');
  });
});

it('wants every tensor of a layer, as it is described', () => {
  const without = (name: string, tensor?: RawTensor) => {
    const tensors = new Map(FILE.tensors);
    if (tensor) tensors.set(name, tensor);
    else tensors.delete(name);
    return () => readNative({ ...FILE, tensors });
  };
  for (const name of FILE.tensors.keys()) expect(without(name)).toThrow(`tensor "${name}" is missing.`);
  const scale = FILE.tensors.get('depthwise.scale') as RawTensor;
  expect(without('extra', scale)).toThrow('no place for: extra.');
  expect(without('depthwise.bias', scale)).toThrow('tensor "depthwise.bias" is F32; I32 was expected.');
  expect(without('depthwise.filter', FILE.tensors.get('stem.filter'))).toThrow('has shape [3,3,3,8]; [3,1,1,8] was expected.');
  expect(() => readNative({ ...FILE, metadata: {} })).toThrow("the file's description of the network is no JSON.");
  expect(() => readNative({ ...FILE, metadata: { network: 'null' } })).toThrow('the file has format version undefined');
  expect(() => readNative({ ...FILE, metadata: { ...FILE.metadata, labels: '["cat"]' } })).toThrow('are to be 2 strings, one a class.');
});

describe('metadata', () => {
  it('are JSON, labels one a class', () => {
    expect(parseJson('[1]', 'x')).toEqual([1]);
    expect(() => parseJson('[', 'list')).toThrow("the file's list is no JSON.");
    expect(() => parseJson('[', 'list')).toThrow(expect.objectContaining({ cause: expect.any(SyntaxError) }));
    expect(readLabels(undefined, 2)).toBeUndefined();
    expect(readLabels('["a","b"]', 2)).toEqual(['a', 'b']);
    for (const bad of ['["a"]', '["a",1]', '{"length":2}', '"ab"']) expect(() => readLabels(bad, 2)).toThrow('2 strings, one a class.');
  });

  const good = { mean: [0, 0, 0], std: [1, 1, 1], crop: 1, interpolation: 'bicubic' };
  it.each<Record<string, unknown>>([
    {},
    { interpolation: 'bilinear' },
    { crop: 0.11 },
    { std: [1e-3, 2, 3], mean: [-1, 1, 0] },
  ])('may describe preprocessing so: %j', (change) => {
    const value = { ...good, ...change };
    expect(checkPreprocessing({ ...value, more: 1 })).toEqual(value);
    expect(readPreprocessing(JSON.stringify(value))).toEqual(value);
  });

  it.each<[string, unknown]>([
    ['mean', [0, 0]],
    ['mean', [0, 0, 0, 0]],
    ['mean', [0, 0, 'x']],
    ['mean', 0],
    ['std', [1, 1, 0]],
    ['std', [1, 1, null]],
    ['std', undefined],
    ['crop', 0.1],
    ['crop', 1.01],
    ['crop', '1'],
    ['interpolation', 'nearest'],
  ])('may not describe preprocessing with %s %j', (key, value) => {
    expect(() => checkPreprocessing({ ...good, [key]: value })).toThrow('preprocessing is { mean, std: three numbers each');
  });

  it("may be TensorFlow's, pixels from -1 to 1", () => {
    expect(SLIM_PREPROCESSING).toEqual({ mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], crop: 0.875, interpolation: 'bilinear' });
  });

  it('may leave preprocessing out', () => {
    expect(readPreprocessing(undefined)).toBeUndefined();
    expect(() => checkPreprocessing(null)).toThrow('preprocessing is {');
  });

  it('of Teachable Machine name the classes', () => {
    expect(readTeachable('{"labels":["a","b"]}')).toEqual({ labels: ['a', 'b'] });
    for (const none of ['{"labels":["a",1]}', '{"labels":"ab"}', '{}', 'null']) expect(readTeachable(none)).toEqual({});
    expect(() => readTeachable('{')).toThrow("the file's metadata.json is no JSON.");
  });

  it('in lines may be numbered, and may end with what Windows writes', () => {
    expect(linesOf('\uFEFFcat\r\ndog\r\n\r\n')).toEqual(['cat', 'dog']);
    expect(linesOf('0 big cat\n1 dog')).toEqual(['big cat', 'dog']);
    expect(linesOf('0 cat\n2 dog')).toEqual(['0 cat', '2 dog']);
    expect(linesOf('a\uFEFFb')).toEqual(['a\uFEFFb']);
    expect(linesOf('  cat\n\n dog ')).toEqual(['  cat', '', ' dog']);
  });

  it("of timm's config.json tell of the training", () => {
    const pretrained_cfg = { mean: [0, 0, 0], std: [1, 1, 1], crop_pct: 0.9, interpolation: 'bicubic', more: 1 };
    const preprocessing = { mean: [0, 0, 0], std: [1, 1, 1], crop: 0.9, interpolation: 'bicubic' };
    expect(readPretrained(JSON.stringify({ pretrained_cfg }))).toEqual({ preprocessing });
    expect(readPretrained('{"label_names":["a","b"],"architecture":"tf_mobilenetv3"}')).toEqual({ labels: ['a', 'b'], tensorflow: true });
    expect(readPretrained('{"label_names":"a","architecture":"mobilenetv3_tf_"}')).toEqual({});
    expect(readPretrained('{"architecture":3}')).toEqual({});
    expect(readPretrained('null')).toEqual({});
    expect(() => readPretrained('{"pretrained_cfg":{}}')).toThrow('preprocessing is {');
    expect(() => readPretrained('{"label_names":[1]}')).toThrow('1 strings, one a class.');
    expect(() => readPretrained('x')).toThrow("the file's config.json beside the weights is no JSON.");
  });
});
