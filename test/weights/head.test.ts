import { loadModel } from '../../src/load.js';
import { writeSafetensors } from '../../src/weights/safetensors.js';
import type { RawTensor } from '../../src/weights/tensors.js';
import { checkpoint, pseudoRandom } from '../pseudo-random.js';
import { WILD, wildIsHere } from './wild.js';

// Heads of one's own behind torchvision's and timm's backbones.

const EPSILON = 1e-5;
const image = { data: pseudoRandom('x', 64 * 64 * 3), shape: [1, 64, 64, 3] } as const;
const raw = (values: Float32Array, shape: readonly number[]): RawTensor => ({ dtype: 'F32', shape, bytes: new Uint8Array(values.buffer) });

type Layer = (x: Float32Array) => Float32Array;

/** Tensors of a layer, and what it computes in a plain loop. */
function linear(name: string, inputs: number, outputs: number): [Map<string, RawTensor>, Layer] {
  const weight = pseudoRandom(`${name} w`, inputs * outputs, (u) => (u * 2) / Math.sqrt(inputs));
  const bias = pseudoRandom(`${name} b`, outputs);
  const compute: Layer = (x) => bias.map((b, o) => x.reduce((sum, value, i) => sum + value * (weight[o * inputs + i] as number), b));
  return [
    new Map([
      [`${name}.weight`, raw(weight, [outputs, inputs])],
      [`${name}.bias`, raw(bias, [outputs])],
    ]),
    compute,
  ];
}

function batchNorm(name: string, channels: number): [Map<string, RawTensor>, Layer] {
  const [gamma, beta, mean] = ['g', 'b', 'm'].map((part) => pseudoRandom(`${name} ${part}`, channels)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const variance = pseudoRandom(`${name} v`, channels, (u) => 1 + u / 2);
  const compute: Layer = (x) =>
    x.map(
      (value, c) =>
        ((value - (mean[c] as number)) / Math.sqrt((variance[c] as number) + EPSILON)) * (gamma[c] as number) + (beta[c] as number),
    );
  const parts = { weight: gamma, bias: beta, running_mean: mean, running_var: variance };
  return [new Map(Object.entries(parts).map(([part, values]) => [`${name}.${part}`, raw(values, [channels])])), compute];
}

const relu: Layer = (x) => x.map((value) => Math.max(0, value));
const backbone = (names: 'torchvision' | 'timm', prefix = '') =>
  [...checkpoint('mobilenet_v3_small', { width: 0.5, classes: 3 }, names)]
    .filter(([name]) => !name.startsWith('classifier'))
    .map(([name, tensor]) => [prefix + name, tensor] as const);

async function expectHead(tensors: ReadonlyMap<string, RawTensor>, layers: readonly Layer[]): Promise<void> {
  const model = await loadModel(writeSafetensors({ tensors, metadata: {} }));
  expect(model.architecture).toBe('mobilenet_v3_small');
  const features = await model.embed(image);
  const expected = layers.reduce((x, layer) => layer(x), features);
  const actual = await model.predict(image);
  expect(model.classes).toBe(expected.length);
  const largest = Math.max(...expected.map(Math.abs));
  actual.forEach((value, i) => {
    expect(Math.abs(value - (expected[i] as number))).toBeLessThan(1e-5 * largest);
  });
}

const FEATURES = 288;

it('reads a batch norm, two Linear layers and what is between them', async () => {
  const [norm, first, last] = [batchNorm('classifier.0', FEATURES), linear('classifier.1', FEATURES, 20), linear('classifier.4', 20, 5)];
  await expectHead(new Map([...backbone('torchvision'), ...norm[0], ...first[0], ...last[0]]), [norm[1], first[1], relu, last[1]]);
});

it('reads one Linear layer behind a Dropout, and a batch norm before the activation', async () => {
  const only = linear('classifier.1', FEATURES, 4);
  await expectHead(new Map([...backbone('torchvision'), ...only[0]]), [only[1]]);
  const [first, norm, last] = [linear('classifier.0', FEATURES, 16), batchNorm('classifier.1', 16), linear('classifier.3', 16, 6)];
  await expectHead(new Map([...backbone('torchvision'), ...first[0], ...norm[0], ...last[0]]), [first[1], norm[1], relu, last[1]]);
});

it('reads a network that is wrapped in another, its head beside it', async () => {
  const head = linear('head.fc', FEATURES, 7);
  await expectHead(new Map([...backbone('torchvision', 'backbone.'), ...head[0]]), [head[1]]);
});

it('has no classes where the file has no classifier', async () => {
  const features = await loadModel(writeSafetensors({ tensors: new Map(backbone('torchvision')), metadata: {} }));
  expect(features.classes).toBe(0);
  expect(await features.embed(image)).toHaveLength(FEATURES);
  await expect(features.predict(image)).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED_MODEL' });
});

it('says which tensors are no chain, and what to do', async () => {
  const other = linear('classifier.1', FEATURES + 1, 4);
  const file = writeSafetensors({ tensors: new Map([...backbone('torchvision'), ...other[0]]), metadata: {} });
  await expect(loadModel(file)).rejects.toThrow(/no chain of Linear.*from 288 values on: classifier.1.weight \[4,289\].*torch.onnx.export/);
});

(wildIsHere ? it : it.skip)('reads a head with a batch norm out of a .pth (../shared/wild)', async () => {
  await expect(loadModel(`${WILD}/models/aipi_mobilenetv3_a.pth`)).resolves.toMatchObject({
    architecture: 'mobilenet_v3_small',
    classes: 11,
  });
});
