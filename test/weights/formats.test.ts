import { tfliteModel } from '../../scripts/tflite.mjs';
import { InputError } from '../../src/errors.js';
import { fuse } from '../../src/graph/fusion.js';
import { type ConvNode, imageInput, inferShapes, type Node } from '../../src/graph/graph.js';
import { type FloatWeights, isQuantized, type Network } from '../../src/graph/network.js';
import { floatNetwork } from '../../src/quantization/dequantize.js';
import { bytesSource } from '../../src/source/source.js';
import type { Source } from '../../src/source/types.js';
import { readNetwork } from '../../src/weights/load.js';
import { writeNative } from '../../src/weights/native.js';
import { readNative } from '../../src/weights/native-reader.js';
import { writeOnnx } from '../../src/weights/onnx/write.js';
import { readSafetensors } from '../../src/weights/safetensors-reader.js';
import { NODES, smallNetwork } from '../small-network.js';
import { onnxModel, type Spelling, type TensorRanges } from './onnx-writer.js';
import { graphModel, jsonOf, layersModel, SHARD, type TfjsFiles } from './tfjs-writer.js';

// A network of every kind of layer goes out in each format and comes back, layer for layer and number for number.

type Padding = 'same' | 'symmetric';

/** The small network as files spell it: a residual is a sum, an activation belongs to a convolution. */
function spelled(padding: Padding): Network {
  const network = smallNetwork();
  const weights = new Map(network.weights);
  const nodes = NODES.filter(({ name }) => name !== 'swish').flatMap((node): Node[] => {
    if (node.kind !== 'conv') return [node];
    const symmetric = node.kernel.flatMap((side) => [(side - 1) / 2, (side - 1) / 2]) as [number, number, number, number];
    const padded: ConvNode = padding === 'same' || node.padding === 'valid' ? node : { ...node, padding: symmetric };
    if (node.name === 'classifier') return [{ ...padded, inputs: ['pool'] }];
    const [input, residual] = node.inputs as [string, string | undefined];
    if (!residual) return [padded];
    weights.set('sums', weights.get(node.name) as FloatWeights);
    weights.delete(node.name);
    return [
      { ...padded, name: 'sums', inputs: [input] },
      { kind: 'add', name: node.name, inputs: ['sums', residual], activation: 'none' },
    ];
  });
  return { ...network, graph: { ...network.graph, nodes }, weights };
}

/** Nodes by their place, not by their name. */
function structure({ graph: { nodes, outputs, classes, resolution } }: Network) {
  const place = (name: string | undefined) => nodes.findIndex((node) => node.name === name);
  return {
    nodes: nodes.map(({ name: _, inputs, ...rest }) => ({ ...rest, inputs: inputs.map(place) })),
    outputs: [outputs.logits, outputs.embedding].map(place),
    classes,
    resolution,
  };
}

/** @param rounding of a weight, in shares of the largest of its layer */
function expectTwin(actual: Network, own: Network, rounding = 1e-6): void {
  const expected = fuse(own);
  expect(structure(actual)).toEqual(structure(expected));
  actual.graph.nodes.forEach(({ name, kind }, i) => {
    if (kind !== 'conv') return;
    const [a, b] = [actual.weights.get(name), expected.weights.get((expected.graph.nodes[i] as Node).name)] as [FloatWeights, FloatWeights];
    for (const part of ['filter', 'bias'] as const) {
      expect(a[part]).toHaveLength(b[part].length);
      const largest = b[part].reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const furthest = b[part].reduce((most, value, at) => Math.max(most, Math.abs(value - (a[part][at] as number))), 0);
      expect(furthest).toBeLessThanOrEqual(rounding * largest);
    }
  });
}

const tfjsSource = (files: TfjsFiles): Source => ({
  ...bytesSource(jsonOf(files)),
  beside: async (name) => {
    if (name !== SHARD) throw new InputError(`no ${name}`);
    return files.shard;
  },
});
const tfliteOf = (network: Network, kept?: 'float16' | 'dynamicRange') =>
  tfliteModel(network, inferShapes(network.graph.nodes, imageInput(32, 32)), kept);
const HALF = 2 ** -10;
const EIGHTH = 0.5 / 127;

describe('TensorFlow.js', () => {
  it.each([
    ['a graph model', graphModel],
    ['a layers model', layersModel],
  ])('gives the network back from %s', async (_, write) => {
    const own = spelled('same');
    expectTwin(await readNetwork(tfjsSource(write(own))), own);
    // The sixth of h-sigmoid is a half float as well, and multiplies 3.
    expectTwin(await readNetwork(tfjsSource(write(own, 'float16'))), own, 4 * HALF);
    expectTwin(await readNetwork(tfjsSource(write(own, 'uint16'))), own, 2 ** -15);
    expectTwin(await readNetwork(tfjsSource(write(own, 'uint8'))), own, 1 / 250);
  });
});

describe('TensorFlow Lite', () => {
  it.each([
    ['float32', undefined, 1e-6],
    ['float16', 'float16', HALF],
    ['int8 beside float activations', 'dynamicRange', EIGHTH],
  ] as const)('gives the network back from weights in %s', async (_, kept, rounding) => {
    for (const padding of ['same', 'symmetric'] as const) {
      const own = spelled(padding);
      const bytes = tfliteOf(padding === 'same' ? own : fuse(own), kept);
      // What TensorFlow calls SAME it is where strides are 1.
      const same = own.graph.nodes.map((node) => (node.name === 'second' ? ({ ...node, padding: 'same' } as ConvNode) : node));
      expectTwin(await readNetwork(bytesSource(bytes)), { ...own, graph: { ...own.graph, nodes: same } }, rounding);
    }
  });
});

describe('ONNX', () => {
  it.each<Spelling>(['float', 'paddle', 'dynamic'])('gives the network back from the spelling %s', async (spelling) => {
    const own = spelled('symmetric');
    const { file } = onnxModel(own, spelling);
    expectTwin(await readNetwork(bytesSource(file)), spelling === 'paddle' ? paddled(own) : own, spelling === 'dynamic' ? EIGHTH : 1e-6);
  });

  it('gives the network back from what this package writes', async () => {
    for (const padding of ['same', 'symmetric'] as const)
      expectTwin(await readNetwork(bytesSource(writeOnnx(spelled(padding)))), spelled(padding));
  });

  it('gives the integers back, and the ranges of tensors', async () => {
    const own = spelled('symmetric');
    const ranges = rangesOf(own);
    const read = await readNetwork(bytesSource(onnxModel(own, 'qdq', ranges).file));
    const convs = read.graph.nodes.filter((node) => node.kind === 'conv');
    expect(convs.every(({ name }) => isQuantized(read.weights.get(name) as FloatWeights))).toBe(true);
    const lanesOf = (place: number) => read.lanes.get((read.graph.nodes[place] as Node).name);
    expect(read.lanes.get('input')).toMatchObject({ scale: Math.fround(4 / 255), low: -127, high: 128 });
    expect(lanesOf(0)).toMatchObject({ scale: Math.fround(6 / 255) });
    expectTwin(floatNetwork(read), own, EIGHTH);
  });
});

/** What onnx-writer.ts' batch norms, and PaddlePaddle's slope of a fifth, make of filters and biases. */
function paddled({ weights, ...network }: Network): Network {
  const normed = [...weights].map(([name, own]): [string, FloatWeights] => {
    if (name === 'classifier') return [name, own as FloatWeights];
    const { filter, bias } = own as FloatWeights;
    const slope = name === 'gate' ? 6 / 5 : 1;
    const gain = bias.map((_, c) => (slope * (1 + (c % 3) / 8)) / Math.sqrt(0.75 + 1e-5));
    return [
      name,
      {
        filter: filter.map((w, i) => w * (gain[i % bias.length] as number)),
        bias: bias.map((b, c) => slope * b - ((c % 5) / 8) * (gain[c] as number)),
      },
    ];
  });
  return { ...network, weights: new Map(normed) };
}

const rangesOf = (network: Network): TensorRanges => {
  const ranges: Record<string, readonly [number, number]> = { input: [-2, 2] };
  for (const { name } of network.graph.nodes) for (const tensor of [name, `${name}/sums`]) ranges[tensor] = [-3, 3];
  return ranges;
};

describe("this package's own files", () => {
  it('give the network back, name for name and bit for bit', () => {
    const own: Network = { ...smallNetwork(), labels: ['a', 'b', 'c', 'd', 'e'] };
    expect(readNative(readSafetensors(writeNative(own)))).toEqual(own);
  });
});
