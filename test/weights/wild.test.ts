import { loadModel } from '../../src/load.js';
import { cosine, npy, sigmoid, softmax, tensorFor, WILD, wildIsHere, worst } from './wild.js';

// Skipped where ../shared/wild is not there.

const UNIT = { mean: [0, 0, 0], std: [1, 1, 1], crop: 1, interpolation: 'bilinear' } as const;

interface Case {
  readonly file: string;
  readonly golden: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly answer: 'softmax' | 'sigmoid' | 'logits' | 'features';
  /** Where the file does not say it. */
  readonly preprocessing?: typeof UNIT;
  readonly architecture?: string;
  /** The file's own runtime gives the same numbers, rounded to steps of 1 / 256. */
  readonly exact?: boolean;
}

const CASES: readonly Case[] = [
  {
    file: 'diablo_mobilenetv2_quant_static.onnx',
    golden: 'diablo_v2_static',
    inputs: ['formula', 'parrot'],
    output: 'output',
    answer: 'logits',
    architecture: 'mobilenet_v2',
  },
  {
    file: 'radar_mobilenetv3.onnx',
    golden: 'radar_v3small_backbone',
    inputs: ['formula', 'parrot'],
    output: 'output',
    answer: 'features',
    architecture: 'mobilenet_v3_small',
  },

  {
    file: 'nsfwjs_mobilenet_v2/model.json',
    golden: 'nsfwjs_mobilenet_v2',
    inputs: ['formula', 'parrot'],
    output: 'dense_3_dense_3',
    answer: 'softmax',
    architecture: 'mobilenet_v2',
    preprocessing: UNIT,
  },
  {
    file: 'nsfwjs_mobilenet_v2_mid/model.json',
    golden: 'nsfwjs_mobilenet_v2_mid',
    inputs: ['formula', 'parrot'],
    output: 'Identity',
    answer: 'softmax',
    architecture: 'mobilenet_v2',
  },
  {
    file: 'tm_hybridthings/model.json',
    golden: 'tm_hybridthings',
    inputs: ['formula', 'parrot'],
    output: 'sequential_3_sequential_3',
    answer: 'softmax',
    architecture: 'mobilenet_v2',
  },
  {
    file: 'endofile_pull-1-head/model.json',
    golden: 'endofile_v3small_17',
    inputs: ['formula', 'parrot'],
    output: 'Identity',
    answer: 'softmax',
    architecture: 'mobilenet_v3_small',
  },

  {
    file: 'tm_ivan_model_unquant.tflite',
    golden: 'tm_ivan_unquant',
    inputs: ['formula', 'parrot'],
    output: '0',
    answer: 'softmax',
    architecture: 'mobilenet_v2',
  },
  {
    file: 'tm_ivan_model.tflite',
    golden: 'tm_ivan_quant',
    inputs: ['formula', 'parrot'],
    output: '0',
    answer: 'softmax',
    architecture: 'mobilenet_v2',
  },
  {
    file: 'saket_modelV3.tflite',
    golden: 'saket_v3small_minimalistic',
    inputs: ['formula'],
    output: '0',
    answer: 'softmax',
    architecture: 'mobilenet_v3_small_minimalistic',
  },
  {
    file: 'mlkit_object_labeler.tflite',
    golden: 'mlkit_object_labeler',
    inputs: ['formula', 'parrot'],
    output: '0',
    answer: 'sigmoid',
    architecture: 'mobilenet_v2',
    exact: true,
  },
  {
    file: 'v3-small-0.75-224-float-embedder.tflite',
    golden: 'v3_small_075_embedder',
    inputs: ['parrot'],
    output: '0',
    answer: 'features',
    architecture: 'mobilenet_v3_small',
  },
];

(wildIsHere ? describe : describe.skip)('files as people have them (../shared/wild)', () => {
  it.each(CASES)('$file', async ({ file, golden, inputs, output, answer, preprocessing, architecture, exact }) => {
    const model = await loadModel(`${WILD}/models/${file}`, preprocessing ? { preprocessing } : {});
    expect(model.architecture).toBe(architecture);
    for (const input of inputs) {
      const expected = npy(`${WILD}/golden/${golden}__${input}__${output}.npy`);
      const image = tensorFor(model, input);
      const raw = answer === 'features' ? await model.embed(image) : await model.predict(image);
      const actual = answer === 'softmax' ? softmax(raw) : answer === 'sigmoid' ? sigmoid(raw) : raw;
      expect(actual).toHaveLength(expected.length);
      if (process.env['SHOW']) console.log(file, input, model.precision, worst(actual, expected), cosine(actual, expected));
      if (model.precision === 'float32') expect(worst(actual, expected)).toBeLessThan(1e-4);
      else {
        expect(actual.indexOf(Math.max(...actual))).toBe(expected.indexOf(Math.max(...expected)));
        expect(cosine(actual, expected)).toBeGreaterThan(0.99);
        if (exact) expect(Array.from(actual, (value) => Math.round(value * 256))).toEqual(Array.from(expected));
      }
    }
  });

  // The same backbones as the TFLite files of their makers; the heads are of another training, or in int8 there.
  it.each([
    ['tm_ivan_keras_model.h5', 'tm_ivan_model_unquant.tflite', 0.999999],
    ['saket_mobilenetv3.keras', 'saket_modelV3.tflite', 0.99],
  ])('%s has the features of %s', async (file, twin, least) => {
    const [model, other] = [await loadModel(`${WILD}/models/${file}`), await loadModel(`${WILD}/models/${twin}`, { precision: 'float32' })];
    expect(model).toMatchObject({ architecture: other.architecture, classes: other.classes, inputSize: other.inputSize });
    const [a, b] = [await model.embed(tensorFor(model, 'parrot')), await other.embed(tensorFor(other, 'parrot'))];
    expect(cosine(a, b)).toBeGreaterThan(least);
  });
});
