import fc from 'fast-check';
import type * as h5wasm from 'h5wasm';
import { buildGraph } from '../../src/architecture/build.js';
import { fuse } from '../../src/graph/fusion.js';
import { type ConvNode, isDepthwise } from '../../src/graph/graph.js';
import type { FloatWeights } from '../../src/graph/network.js';
import { loadModel } from '../../src/load.js';
import { localModel } from '../../src/model/local-model.js';
import { pseudoRandom } from '../pseudo-random.js';
import { isReady, put, writtenHdf5 as written } from './keras-writer.js';
import { changed, changesOf, RUNS, survives } from './mutation.js';

const EPSILON = 1e-3;
const image = { data: pseudoRandom('x', 64 * 64 * 3), shape: [1, 64, 64, 3] } as const;

interface Layer {
  readonly node: ConvNode;
  readonly kernel: Float32Array;
  readonly shape: number[];
  readonly bias?: Float32Array;
  readonly norm?: readonly [Float32Array, Float32Array, Float32Array, Float32Array];
}

/** Random numbers for every layer, and the network that they make. */
function network(architecture: 'mobilenet_v3_small' | 'mobilenet_v3_large', width = 0.35) {
  const graph = buildGraph(architecture, { width, classes: 7, padding: 'same' });
  const weights = new Map<string, FloatWeights>();
  const layers = graph.nodes
    .filter((node): node is ConvNode => node.kind === 'conv')
    .map((node): Layer => {
      const window = (node.kernel[0] * node.kernel[1] * node.inputChannels) / node.groups;
      const values = (name: string, count: number, scale: number, offset = 0) =>
        pseudoRandom(`${node.name} ${name}`, count, (u) => offset + scale * u);
      const kernel = values('kernel', window * node.channels, 1 / Math.sqrt(window));
      const shape = isDepthwise(node) ? [...node.kernel, node.channels, 1] : [...node.kernel, node.inputChannels, node.channels];
      if (!node.batchNorm) {
        const bias = values('bias', node.channels, 0.3);
        weights.set(node.name, { filter: kernel, bias });
        return { node, kernel, shape, bias };
      }
      const norm = [
        values('gamma', node.channels, 0.4, 1),
        values('beta', node.channels, 0.3),
        values('mean', node.channels, 0.2),
        values('variance', node.channels, 0.5, 1),
      ] as const;
      const [gamma, beta, mean, variance] = norm;
      const gain = gamma.map((g, c) => g / Math.sqrt((variance[c] as number) + EPSILON));
      weights.set(node.name, {
        filter: kernel.map((w, i) => w * (gain[i % node.channels] as number)),
        bias: beta.map((b, c) => b - (mean[c] as number) * (gain[c] as number)),
      });
      return { node, kernel, shape, norm };
    });
  const preprocessing = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], crop: 0.875, interpolation: 'bilinear' } as const;
  return { layers, network: fuse({ graph, weights, lanes: new Map(), preprocessing }) };
}

beforeAll(async () => {
  await isReady;
});

const NORM = ['gamma:0', 'beta:0', 'moving_mean:0', 'moving_variance:0'];

/** keras.applications' own names: expanded_conv_3/squeeze_excite/Conv_1. */
function legacyName({ name }: ConvNode): string {
  const [, block, role] = /^blocks\.(\d+)\.(\w+)$/.exec(name) ?? [];
  const top: Record<string, string> = { stem: 'Conv', head: 'Conv_1', features: 'Conv_2', classifier: 'Logits' };
  if (block === undefined) return top[name] as string;
  const prefix = block === '0' ? 'expanded_conv' : `expanded_conv_${block}`;
  return `${prefix}/${({ reduce: 'squeeze_excite/Conv', excite: 'squeeze_excite/Conv_1' } as Record<string, string>)[role as string] ?? role}`;
}

/** A group of a layer's name holds its variables under the same name again; attributes tell the order. */
function legacy(file: h5wasm.File, layers: readonly Layer[]): void {
  const names: string[] = ['input_1', 'rescaling'];
  const layer = (name: string, variables: [string, Float32Array, number[]][]) => {
    names.push(name);
    // HDF5 makes the groups of a path one inside the other.
    let group: h5wasm.Group = file;
    const depth = name.split('/').length;
    for (const [i, part] of [...name.split('/'), ...name.split('/')].entries()) {
      if (i === depth)
        group.create_attribute(
          'weight_names',
          variables.map(([variable]) => `${name}/${variable}`),
        );
      const inner = group.keys().includes(part) ? group.get(part) : group.create_group(part);
      group = inner as h5wasm.Group;
    }
    for (const [variable, data, shape] of variables) put(group, variable, data, shape);
  };
  file.create_group('input_1');
  file.create_group('rescaling');
  for (const { node, kernel, shape, bias, norm } of layers) {
    const name = legacyName(node);
    const kernelName = isDepthwise(node) ? 'depthwise_kernel:0' : 'kernel:0';
    layer(name, [[kernelName, kernel, shape], ...(bias ? [['bias:0', bias, [bias.length]] as [string, Float32Array, number[]]] : [])]);
    if (norm)
      layer(
        `${name}/BatchNorm`,
        norm.map((data, i) => [NORM[i] as string, data, [data.length]]),
      );
  }
  file.create_attribute('layer_names', names);
}

/** Keras 3: layers/conv2d_3/vars/0. */
function modern(file: h5wasm.File, layers: readonly Layer[]): void {
  const root = file.create_group('layers');
  const counts = new Map<string, number>();
  const layer = (kind: string, variables: [Float32Array, number[]][]) => {
    const count = counts.get(kind) ?? 0;
    counts.set(kind, count + 1);
    const vars = root.create_group(count ? `${kind}_${count}` : kind).create_group('vars');
    variables.forEach(([data, shape], i) => {
      put(vars, String(i), data, shape);
    });
  };
  for (const { node, kernel, shape, bias, norm } of layers) {
    layer(isDepthwise(node) ? 'depthwise_conv2d' : 'conv2d', [
      [kernel, shape],
      ...(bias ? [[bias, [bias.length]] as [Float32Array, number[]]] : []),
    ]);
    if (norm)
      layer(
        'batch_normalization',
        norm.map((data) => [data, [data.length]]),
      );
  }
}

describe.each(['mobilenet_v3_small', 'mobilenet_v3_large'] as const)('%s', (architecture) => {
  it.each([
    ['a legacy .h5 file', legacy],
    ['a .weights.h5 file of Keras 3', modern],
  ])('is read from %s', async (_, layout) => {
    const { layers, network: expected } = network(architecture);
    const model = await loadModel(await written((file) => layout(file, layers)));
    expect(model).toMatchObject({ architecture, classes: 7, preprocessing: expected.preprocessing });
    const [a, b] = [await model.predict(image), await (await localModel(expected)).predict(image)];
    const spread = Math.sqrt(b.reduce((sum, x) => sum + x * x, 0) / b.length);
    expect(Math.max(...a.map((x, i) => Math.abs(x - (b[i] as number)))) / spread).toBeLessThan(1e-5);
  });
});

it('says what is wrong', async () => {
  const { layers } = network('mobilenet_v3_small');
  const file = (change: (layers: Layer[]) => void) => {
    const copy = layers.map((layer) => ({ ...layer }));
    change(copy);
    return written((target) => modern(target, copy));
  };
  await expect(loadModel(await file((list) => list.pop()))).rejects.toThrow(/no MobileNetV3 with its top/);
  await expect(loadModel(await file((list) => Object.assign(list[0] as Layer, { norm: undefined })))).rejects.toThrow(/batch norm/);
  await expect(
    loadModel(await file((list) => Object.assign(list[3] as Layer, { kernel: (list[3] as Layer).kernel.map(() => Number.NaN) }))),
  ).rejects.toThrow(/weights are to be finite/);
  await expect(loadModel(await written((target) => target.create_group('other')))).rejects.toThrow(/no layers/);
  const whole = await written((target) => modern(target, layers));
  for (const cut of [8, 100, 3000, whole.length >> 1]) {
    await expect(loadModel(whole.slice(0, cut))).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_/) });
  }
});

it('a file that never ends, or asks for all memory, costs a clear error, and the next file is read', async () => {
  const { layers } = network('mobilenet_v3_small');
  const endless = await written((file) => {
    modern(file, layers);
    const group = file.get('layers/conv2d/vars') as h5wasm.Group;
    // A group inside itself.
    group.create_hard_link('/layers/conv2d/vars', 'again');
  });
  const huge = await written((file) => {
    modern(file, layers);
    // Chunks that were never written take no room in the file.
    const vars = file.get('layers/conv2d/vars') as h5wasm.Group;
    const few = { data: new Float32Array(64), shape: [8, 8], maxshape: [null, null], chunks: [8, 8] };
    vars.create_dataset({ name: '2', dtype: '<f', ...few }).resize([1 << 14, 1 << 14]);
  });
  const whole = await written((file) => modern(file, layers));
  await expect(loadModel(endless)).rejects.toThrow(/a group lies inside itself/);
  await expect(loadModel(huge)).rejects.toThrow(/a tensor of 1073741824 bytes in a file of/);
  const both = await Promise.allSettled([loadModel(endless), loadModel(whole)]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
});

it(
  'Keras files that were changed on their way: never a hang, never much memory, never a failure without a type',
  async () => {
    const { layers } = network('mobilenet_v3_small', 0.25);
    const bytes = await written((target) => modern(target, layers));
    await survives(bytes);
    // HDF5 keeps its structure at the front, between the first weights, and at the end.
    const structure = [
      [0, 60_000],
      [bytes.length - 40_000, bytes.length],
    ] as const;
    await fc.assert(
      fc.asyncProperty(changesOf(structure, bytes.length), (changes) => survives(changed(bytes, changes))),
      { numRuns: RUNS },
    );
  },
  120_000 + RUNS * 100,
);
