import { fuse } from '../../src/graph/fusion.js';
import type { Network } from '../../src/graph/network.js';
import { loadModel } from '../../src/load.js';
import { localModel, sessionOf } from '../../src/model/local-model.js';
import type { Model } from '../../src/model/model.js';
import { quantizeWith } from '../../src/model/quantize.js';
import { calibrate } from '../../src/quantization/calibrate.js';
import { Divergence } from '../../src/quantization/divergence.js';
import type { Calibration } from '../../src/quantization/observe.js';
import { SCHEMES } from '../../src/quantization/schemes.js';
import { writeOnnx } from '../../src/weights/onnx/write.js';
import { writeTflite } from '../../src/weights/tflite/write.js';
import { random, randomNetwork, uniform } from '../random-network.js';
import { runOnnx } from './run-onnx.js';
import { runTflite } from './run-tflite.js';

const SIDE = 32;
const image = (seed: number) => ({ data: uniform(random(seed), SIDE * SIDE * 3, -2, 2), shape: [1, SIDE, SIDE, 3] as const });
const small = (network: Network): Network => ({ ...network, graph: { ...network.graph, resolution: SIDE } });

/** TF-Hub's networks scale the image themselves. */
function withAffine(network: Network): Network {
  const affine = { kind: 'affine', name: 'scaled', inputs: ['input'], alpha: 0.8, beta: -0.1, low: -1.5 } as const;
  const nodes = network.graph.nodes.map((node) => (node.inputs[0] === 'input' ? { ...node, inputs: ['scaled'] } : node));
  return { ...network, graph: { ...network.graph, nodes: [affine, ...nodes] } };
}

const torch = small(fuse(randomNetwork('mobilenet_v3_small', { classes: 13, width: 0.25 })));
const gates = small(fuse(randomNetwork('mnasnet_a1', { classes: 13, width: 0.25 })));
const relu6 = small(fuse(randomNetwork('mobilenet_v2', { classes: 13, width: 0.25 })));

async function closeness(model: Model, run: (input: ReturnType<typeof image>) => Float32Array): Promise<number> {
  const result = new Divergence();
  result.add(await model.predict(image(10)), run(image(10)));
  return result.sqnrDb;
}

describe.each([
  ['torchvision-like V3', torch],
  ['V3 behind an affine of the image', withAffine(torch)],
  ['V2', relu6],
  ['MnasNet, whose gates are sigmoids', gates],
])('%s', (_, network) => {
  let float: Model;
  let seen: Calibration;
  const models = new Map<string, Model>();
  beforeAll(async () => {
    float = await localModel(network);
    seen = await calibrate(sessionOf(float), [image(1), image(2), image(3)], { histograms: true });
    const nearest = { compensated: false };
    models.set('16 bits', await quantizeWith(float, seen, { ...SCHEMES.best, ...nearest }));
    models.set('8 bits', await quantizeWith(float, seen, { ...SCHEMES.eight, ...nearest }));
    models.set('scales in the rows', await quantizeWith(float, seen, SCHEMES.best));
    models.set('8 bits, scales in the rows', await quantizeWith(float, seen, SCHEMES.eight));
    models.set('a scale a tensor', await quantizeWith(float, seen, SCHEMES.perTensor));
  });

  it('is the same float network in .onnx', async () => {
    const bytes = writeOnnx(network);
    expect(await closeness(float, (input) => runOnnx(bytes, input))).toBeGreaterThan(90);
    // A sigmoid between pointwise convolutions is what our reader does not know.
    if (network === gates) return;
    const read = await loadModel(bytes);
    const result = new Divergence();
    result.add(await float.predict(image(10)), await read.predict(image(10)));
    expect(result.sqnrDb).toBeGreaterThan(90);
  });

  // A lane that falls on the other side of a half is all that may differ.
  it.each([
    ['16 bits', 45],
    ['8 bits', 25],
    ['scales in the rows', 45],
    ['8 bits, scales in the rows', 25],
    ['a scale a tensor', 20],
  ])('means the same in .onnx with %s', async (name, least) => {
    const model = models.get(name) as Model;
    const bytes = writeOnnx(sessionOf(model).network);
    expect(await closeness(model, (input) => runOnnx(bytes, input))).toBeGreaterThan(least);
  });

  it.each(['16 bits', 'scales in the rows'])('means the same in .tflite with %s', async (name) => {
    const model = models.get(name) as Model;
    const bytes = writeTflite(sessionOf(model).network);
    expect(await closeness(model, (input) => runTflite(bytes, input))).toBeGreaterThan(35);
  });

  it('is no .tflite with 8 bits or in float32, and says so', () => {
    expect(() => writeTflite(sessionOf(models.get('8 bits') as Model).network)).toThrow('quantize with activations of 16 bits');
    expect(() => writeTflite(torch)).toThrow('"stem" has float32 weights; quantize every layer');
  });
});
