import { buildGraph } from '../../src/architecture/build.js';
import type { ArchitectureName } from '../../src/architecture/tables.js';
import type { ConvNode } from '../../src/graph/graph.js';
import type { FloatWeights, Network } from '../../src/graph/network.js';
import { bytesSource } from '../../src/source/source.js';
import { conventionOf, readCheckpoint } from '../../src/weights/checkpoint.js';
import { writeCheckpoint } from '../../src/weights/export.js';
import { identify } from '../../src/weights/identify.js';
import { readNamed } from '../../src/weights/named.js';
import { batchNormEpsilon, type Convention, expandsFrom, tensorNames } from '../../src/weights/names.js';
import { readSafetensors } from '../../src/weights/safetensors-reader.js';
import type { RawTensor, TensorFile } from '../../src/weights/tensors.js';
import { checkpoint } from '../pseudo-random.js';

// Named tensors of training frameworks: the names themselves, and what is read by them.

/** A filter, and where the rest is: a batch norm, or a bias. */
function namesOf(convention: Convention, architecture: ArchitectureName, node: string): string {
  const graph = buildGraph(architecture);
  const found = graph.nodes.find((each): each is ConvNode => each.kind === 'conv' && each.name === node) as ConvNode;
  const { filter, batchNorm, bias } = tensorNames(convention, architecture, found, expandsFrom(graph));
  return `${filter} ${batchNorm ?? bias}`;
}

describe('tensors have the names', () => {
  it.each<[Convention, ArchitectureName, string, string]>([
    ['torchvision', 'mobilenet_v3_small', 'stem', 'features.0.0.weight features.0.1'],
    ['torchvision', 'mobilenet_v3_small', 'blocks.0.depthwise', 'features.1.block.0.0.weight features.1.block.0.1'],
    ['torchvision', 'mobilenet_v3_small', 'blocks.0.reduce', 'features.1.block.1.fc1.weight features.1.block.1.fc1.bias'],
    ['torchvision', 'mobilenet_v3_small', 'blocks.0.excite', 'features.1.block.1.fc2.weight features.1.block.1.fc2.bias'],
    ['torchvision', 'mobilenet_v3_small', 'blocks.0.project', 'features.1.block.2.0.weight features.1.block.2.1'],
    ['torchvision', 'mobilenet_v3_small', 'blocks.1.expand', 'features.2.block.0.0.weight features.2.block.0.1'],
    ['torchvision', 'mobilenet_v3_small', 'blocks.1.depthwise', 'features.2.block.1.0.weight features.2.block.1.1'],
    ['torchvision', 'mobilenet_v3_small', 'blocks.1.project', 'features.2.block.2.0.weight features.2.block.2.1'],
    ['torchvision', 'mobilenet_v3_small', 'blocks.3.reduce', 'features.4.block.2.fc1.weight features.4.block.2.fc1.bias'],
    ['torchvision', 'mobilenet_v3_small', 'blocks.3.project', 'features.4.block.3.0.weight features.4.block.3.1'],
    ['torchvision', 'mobilenet_v3_small', 'head', 'features.12.0.weight features.12.1'],
    ['torchvision', 'mobilenet_v3_small', 'features', 'classifier.0.weight classifier.0.bias'],
    ['torchvision', 'mobilenet_v3_small', 'classifier', 'classifier.3.weight classifier.3.bias'],
    ['torchvision', 'mobilenet_v2', 'blocks.0.depthwise', 'features.1.conv.0.0.weight features.1.conv.0.1'],
    ['torchvision', 'mobilenet_v2', 'blocks.0.project', 'features.1.conv.1.weight features.1.conv.2'],
    ['torchvision', 'mobilenet_v2', 'blocks.1.expand', 'features.2.conv.0.0.weight features.2.conv.0.1'],
    ['torchvision', 'mobilenet_v2', 'blocks.1.depthwise', 'features.2.conv.1.0.weight features.2.conv.1.1'],
    ['torchvision', 'mobilenet_v2', 'blocks.1.project', 'features.2.conv.2.weight features.2.conv.3'],
    ['torchvision', 'mobilenet_v2', 'head', 'features.18.0.weight features.18.1'],
    ['torchvision', 'mobilenet_v2', 'classifier', 'classifier.1.weight classifier.1.bias'],
    ['torchvision', 'mnasnet_b1', 'stem', 'layers.0.weight layers.1'],
    ['torchvision', 'mnasnet_b1', 'blocks.0.depthwise', 'layers.3.weight layers.4'],
    ['torchvision', 'mnasnet_b1', 'blocks.0.project', 'layers.6.weight layers.7'],
    ['torchvision', 'mnasnet_b1', 'blocks.1.expand', 'layers.8.0.layers.0.weight layers.8.0.layers.1'],
    ['torchvision', 'mnasnet_b1', 'blocks.2.depthwise', 'layers.8.1.layers.3.weight layers.8.1.layers.4'],
    ['torchvision', 'mnasnet_b1', 'blocks.4.project', 'layers.9.0.layers.6.weight layers.9.0.layers.7'],
    ['torchvision', 'mnasnet_b1', 'head', 'layers.14.weight layers.15'],
    ['torchvision', 'mnasnet_b1', 'classifier', 'classifier.1.weight classifier.1.bias'],
    ['timm', 'mobilenet_v3_large', 'stem', 'conv_stem.weight bn1'],
    ['timm', 'mobilenet_v3_large', 'blocks.0.depthwise', 'blocks.0.0.conv_dw.weight blocks.0.0.bn1'],
    ['timm', 'mobilenet_v3_large', 'blocks.0.project', 'blocks.0.0.conv_pw.weight blocks.0.0.bn2'],
    ['timm', 'mobilenet_v3_large', 'blocks.1.expand', 'blocks.1.0.conv_pw.weight blocks.1.0.bn1'],
    ['timm', 'mobilenet_v3_large', 'blocks.2.depthwise', 'blocks.1.1.conv_dw.weight blocks.1.1.bn2'],
    ['timm', 'mobilenet_v3_large', 'blocks.2.project', 'blocks.1.1.conv_pwl.weight blocks.1.1.bn3'],
    ['timm', 'mobilenet_v3_large', 'blocks.3.reduce', 'blocks.2.0.se.conv_reduce.weight blocks.2.0.se.conv_reduce.bias'],
    ['timm', 'mobilenet_v3_large', 'blocks.5.excite', 'blocks.2.2.se.conv_expand.weight blocks.2.2.se.conv_expand.bias'],
    ['timm', 'mobilenet_v3_large', 'head', 'blocks.6.0.conv.weight blocks.6.0.bn1'],
    ['timm', 'mobilenet_v3_large', 'features', 'conv_head.weight conv_head.bias'],
    ['timm', 'mobilenet_v3_large', 'classifier', 'classifier.weight classifier.bias'],
    ['timm', 'mobilenet_v2', 'head', 'conv_head.weight bn2'],
    ['timm', 'mobilenet_v2', 'classifier', 'classifier.weight classifier.bias'],
  ])('%s gives them: %s, %s', (convention, architecture, node, names) => {
    expect(namesOf(convention, architecture, node)).toBe(names);
  });

  it("of ProxylessNAS' authors, whose identities have numbers", () => {
    expect(namesOf('proxyless', 'proxylessnas_mobile', 'stem')).toBe('first_conv.conv.weight first_conv.bn');
    const block = (number: number, role: string) => namesOf('proxyless', 'proxylessnas_mobile', `blocks.${number}.${role}`);
    expect(block(0, 'depthwise')).toBe('blocks.0.mobile_inverted_conv.depth_conv.conv.weight blocks.0.mobile_inverted_conv.depth_conv.bn');
    expect(block(2, 'expand')).toMatch(/^blocks\.2\.mobile_inverted_conv\.inverted_bottleneck\.conv\.weight /);
    expect(block(3, 'project')).toMatch(/^blocks\.5\.mobile_inverted_conv\.point_linear\.conv\.weight /);
    expect(namesOf('proxyless', 'proxylessnas_mobile', 'head')).toBe('feature_mix_layer.conv.weight feature_mix_layer.bn');
    expect(namesOf('proxyless', 'proxylessnas_mobile', 'classifier')).toBe('classifier.linear.weight classifier.linear.bias');
  });
});

const SMALL = { width: 0.25, classes: 3 } as const;
const ARCHITECTURE = 'mobilenet_v3_small';
const tensors = checkpoint(ARCHITECTURE, SMALL);
const timm = checkpoint(ARCHITECTURE, SMALL, 'timm');
const file = (all: ReadonlyMap<string, RawTensor> = tensors, metadata: Record<string, string> = {}): TensorFile => ({
  tensors: all,
  metadata,
});
const valuesOf = (tensor: RawTensor | undefined) => new Float32Array((tensor as RawTensor).bytes.slice().buffer);
const changed = (how: (all: Map<string, RawTensor>) => void, from = tensors) => {
  const all = new Map(from);
  how(all);
  return file(all);
};
const read = (given: TensorFile, options = {}) => readNamed(given, bytesSource(new Uint8Array()), options);

describe('a checkpoint', () => {
  it('is told by the name of its first filter', () => {
    const of = (...names: string[]) => conventionOf(file(new Map(names.map((name) => [name, tensors.values().next().value as RawTensor]))));
    expect([of('features.0.0.weight'), of('layers.0.weight')]).toEqual(['torchvision', 'torchvision']);
    expect([of('conv_stem.weight'), of('first_conv.conv.weight'), of('other')]).toEqual(['timm', 'proxyless', undefined]);
  });

  it('has batch norms, which are folded into the filters', async () => {
    for (const [convention, own, epsilon] of [
      ['torchvision', tensors, 1e-3],
      ['timm', timm, 1e-5],
    ] as const) {
      const network = await read(file(own));
      expect(network.graph).toMatchObject({ architecture: ARCHITECTURE, width: 0.25, classes: 3 });
      const { filter, batchNorm } = tensorNames(convention, ARCHITECTURE, network.graph.nodes[0] as ConvNode, () => false);
      const [gamma, beta, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map((part) =>
        valuesOf(own.get(`${batchNorm}.${part}`)),
      );
      const stem = network.weights.get('stem') as FloatWeights;
      const kept = valuesOf(own.get(filter));
      const channels = stem.bias.length;
      for (let c = 0; c < channels; c++) {
        const gain = (gamma?.[c] as number) / Math.sqrt((variance?.[c] as number) + epsilon);
        expect(stem.bias[c]).toBeCloseTo((beta?.[c] as number) - (mean?.[c] as number) * gain, 5);
        // [out, in, height, width] to [height, width, in, out]
        for (let i = 0; i < 27; i++)
          expect(stem.filter[((i % 9) * 3 + Math.floor(i / 9)) * channels + c]).toBeCloseTo((kept[c * 27 + i] as number) * gain, 5);
      }
      expect(batchNormEpsilon(convention, ARCHITECTURE)).toBe(epsilon);
    }
  });

  it('has biases behind the pool', async () => {
    const network = await read(file());
    expect((network.weights.get('classifier') as FloatWeights).bias).toEqual(valuesOf(tensors.get('classifier.3.bias')));
    expect(network.preprocessing.mean).toEqual([0.485, 0.456, 0.406]);
    expect(network).not.toHaveProperty('labels');
  });

  it('may say in its metadata how images are prepared, and what classes are called', async () => {
    const preprocessing = { mean: [0, 0, 0], std: [1, 1, 1], crop: 1, interpolation: 'bicubic' };
    const labels = ['a', 'b', 'c'];
    const told = await read(file(tensors, { preprocessing: JSON.stringify(preprocessing), labels: JSON.stringify(labels) }));
    expect(told).toMatchObject({ preprocessing, labels });
  });

  const config = {
    architecture: 'tf_mobilenetv3_small_100',
    label_names: ['a', 'b', 'c'],
    pretrained_cfg: { mean: [0, 0, 0], std: [1, 1, 1], crop_pct: 1, interpolation: 'bilinear' },
  };
  it("may have timm's config beside it", async () => {
    const beside = async (name: string) => {
      expect(name).toBe('config.json');
      return new TextEncoder().encode(JSON.stringify(config));
    };
    const source = { ...bytesSource(new Uint8Array()), listed: true, beside };
    const told = await readNamed(file(timm), source, {});
    expect(told).toMatchObject({ labels: ['a', 'b', 'c'], preprocessing: { mean: [0, 0, 0], crop: 1 } });
    // TensorFlow's padding and epsilon.
    expect(told.graph.nodes[0]).toMatchObject({ padding: 'same' });
    const plain = await read(file(timm));
    expect(plain.graph.nodes[0]).toMatchObject({ padding: [1, 1, 1, 1] });
    expect((told.weights.get('stem') as FloatWeights).filter[0]).not.toBe((plain.weights.get('stem') as FloatWeights).filter[0]);
    // A server is not asked, and torchvision has no such file.
    expect((await readNamed(file(timm), { ...source, listed: false }, {})).labels).toBeUndefined();
    expect((await readNamed(file(), source, {})).labels).toBeUndefined();
    const other = readCheckpoint(file(timm), 'timm', {}, JSON.stringify({ ...config, label_names: ['a'] }));
    expect(other.labels).toBeUndefined();
  });

  it('may be wrapped in another network', async () => {
    const wrapped = new Map([...tensors].map(([name, tensor]) => [`net.backbone.${name}`, tensor]));
    expect((await read(file(wrapped))).graph.architecture).toBe(ARCHITECTURE);
  });

  it('is of an architecture, or says what is nearest', async () => {
    await expect(read(file(new Map([['foo', tensors.values().next().value as RawTensor]])))).rejects.toThrow(
      "the tensors' names (foo) are neither",
    );
    await expect(read(file(new Map()))).rejects.toThrow("the tensors' names (none) are neither");
    const without = (...names: string[]) =>
      changed((all) => {
        for (const name of names) all.delete(name);
      });
    const nearest = 'the torchvision tensors fit no architecture of the family; nearest is mobilenet_v3_small';
    expect(() => identify(without('features.5.block.0.0.weight'), 'torchvision')).toThrow(
      `${nearest}, but missing: features.5.block.0.0.weight.`,
    );
    const four = [1, 2, 3, 4].map((block) => `features.${block + 2}.block.0.0.weight`);
    expect(() => identify(without(...four), 'torchvision')).toThrow(`missing: ${four.slice(0, 3).join(', ')} and 1 more.`);
    const extra = changed((all) => all.set('features.99.weight', tensors.get('features.0.0.weight') as RawTensor));
    expect(() => identify(extra, 'torchvision')).toThrow(`${nearest}, extra: features.99.weight.`);
    const wide = changed((all) => {
      const name = 'features.2.block.1.0.weight';
      all.set(name, { ...(all.get(name) as RawTensor), shape: [24, 1, 7, 7] });
    });
    expect(() => identify(wide, 'torchvision')).toThrow(`${nearest}, but kernel sizes differ.`);
    expect(() => identify(file(), 'torchvision', 'mobilenet_v9' as ArchitectureName)).toThrow(
      'unknown architecture "mobilenet_v9"; known are',
    );
    expect(() => identify(file(), 'torchvision', 'mobilenet_v2')).toThrow('nearest is mobilenet_v2, but missing');
    expect(identify(file(), 'torchvision')).toEqual({ architecture: ARCHITECTURE, standard: true });
  });

  it('has a backbone that is known by its own tensors', () => {
    const own = (how: (all: Map<string, RawTensor>) => void) => identify(changed(how), 'torchvision');
    const bare = { architecture: ARCHITECTURE, standard: false };
    const headless = (all: Map<string, RawTensor>) => {
      for (const name of ['classifier.0.weight', 'classifier.3.weight']) all.delete(name);
    };
    expect(own(headless)).toEqual(bare);
    expect(own((all) => all.set('classifier.1.running_var', all.get('features.0.1.running_var') as RawTensor))).toEqual(bare);
    expect(own((all) => all.set('head.weight', all.get('classifier.3.weight') as RawTensor))).toEqual(bare);
  });

  it('has widths that are known, or given', async () => {
    const odd = checkpoint(ARCHITECTURE, { width: 56 / 96, classes: 3 });
    expect((await read(file(odd))).graph.width).toBe(56 / 96);
    const broken = changed((all) => {
      const name = 'features.2.block.2.0.weight';
      const tensor = all.get(name) as RawTensor;
      all.set(name, { ...tensor, shape: [9, ...tensor.shape.slice(1)] });
    });
    await expect(read(broken)).rejects.toThrow(
      /the blocks' channels \(8, 9, .*\) are those of no width multiplier of mobilenet_v3_small; give/,
    );
    await expect(read(broken, { width: 0.25 })).rejects.toThrow('"features.2.block.2.0.weight" has shape');
  });
});

describe('an exported network', () => {
  const own = () => read(file());
  it.each(['torchvision', 'timm'] as const)('under the names of %s is the same once it is read', async (convention) => {
    const network: Network = { ...(await own()), labels: ['a', 'b', 'c'] };
    const bytes = writeCheckpoint(network, convention);
    const written = readSafetensors(bytes);
    expect(written.metadata['format']).toBe('pt');
    const back = await read(written);
    expect({ ...back, weights: undefined }).toEqual({ ...network, weights: undefined });
    for (const [name, { filter, bias }] of network.weights as ReadonlyMap<string, FloatWeights>) {
      const again = back.weights.get(name) as FloatWeights;
      expect(Math.max(...filter.map((w, i) => Math.abs(w - (again.filter[i] as number))))).toBeLessThan(1e-5);
      expect(Math.max(...bias.map((b, i) => Math.abs(b - (again.bias[i] as number))))).toBeLessThan(1e-5);
    }
    // Of the file's own kind: the same names, and shapes.
    const wanted = [...(convention === 'timm' ? timm : tensors)].map(([name, { shape }]) => `${name} ${shape}`).sort();
    const linear = (entry: string) => entry.replace(/^(conv_head\.weight \d+,\d+)$/, '$1,1,1');
    expect([...written.tensors].map(([name, { shape }]) => `${name} ${shape}`).sort()).toEqual(wanted.map(linear).sort());
  });

  it('has no names where it is of another kind', async () => {
    const network = await own();
    const { graph, weights } = network;
    expect(() => writeCheckpoint({ ...network, graph: { ...graph, architecture: 'custom' } }, 'timm')).toThrow(
      'timm has no network like this one (custom).',
    );
    const [stem, ...nodes] = graph.nodes as [ConvNode, ...typeof graph.nodes];
    const padded = { ...graph, nodes: [{ ...stem, padding: 'same' as const }, ...nodes] };
    const message = 'pads or connects otherwise than this network, first at';
    expect(() => writeCheckpoint({ ...network, graph: padded }, 'timm')).toThrow(`timm's mobilenet_v3_small ${message} "stem"`);
    const cut = { ...graph, nodes: graph.nodes.slice(0, -1) };
    expect(() => writeCheckpoint({ ...network, graph: cut }, 'torchvision')).toThrow(`${message} "`);
    const integers = new Map(weights).set('stem', {
      filter: new Int8Array(1),
      scale: new Float32Array(1),
      zeroPoint: 0,
      bias: new Int32Array(1),
    });
    expect(() => writeCheckpoint({ ...network, weights: integers }, 'timm')).toThrow('int8 weights have no timm names');
    expect(() => writeCheckpoint({ ...network, weights: new Map() }, 'timm')).toThrow('int8 weights have no timm names');
  });
});
