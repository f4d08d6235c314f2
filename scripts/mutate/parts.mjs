import { readdirSync, statSync } from 'node:fs';

// What is mutated together, and the tests that must notice: files or folders of src/ and test/. The fewer the tests, the sooner it is done.
/** What float32 and all ways of lanes share. */
const SHARED = ['blocks', 'constants', 'convert', 'convolution', 'dense', 'elementwise', 'ways'];
const weights = (files, tests) => ({
  mutate: files.map((name) => `weights/${name}`),
  tests: tests.map((name) => `weights/${name}.test.ts`),
});
const PARTS = {
  image: { mutate: ['image'], tests: ['image'] },
  'compute/shared': { mutate: SHARED.map((name) => `compute/${name}.ts`), tests: ['compute'] },
  'compute/float32': { mutate: ['compute/float32'], tests: ['compute'] },
  'compute/lanes': { mutate: ['compute/lanes'], tests: ['compute'] },
  runtime: { mutate: ['runtime'], tests: ['runtime/arena.test.ts', 'runtime/tensors.test.ts', 'runtime/session.test.ts', 'compute'] },
  quantization: {
    mutate: ['quantization'],
    tests: ['small', 'eight-bits', 'compensate', 'covariance', 'filters', 'histogram'].map((name) => `quantization/${name}.test.ts`),
  },
  graph: { mutate: ['graph'], tests: ['graph', 'architecture'] },
  'weights/builder': weights(
    [
      'arithmetic.ts',
      'builder.ts',
      'built.ts',
      'constants.ts',
      'finish.ts',
      'fold.ts',
      'layout.ts',
      'load.ts',
      'readers.ts',
      'resolution.ts',
    ],
    ['builder', 'formats'],
  ),
  'weights/torch': weights(['torch'], ['pickle']),
  'weights/onnx': weights(
    ['onnx/convolution.ts', 'onnx/model.ts', 'onnx/network.ts', 'onnx/protobuf.ts', 'onnx/quantized.ts', 'onnx/values.ts'],
    ['onnx-operators', 'formats'],
  ),
  'weights/tflite': weights(
    ['tflite/flatbuffer.ts', 'tflite/metadata.ts', 'tflite/model.ts', 'tflite/network.ts'],
    ['tflite-operators', 'formats'],
  ),
  'weights/tfjs': weights(['tfjs'], ['tfjs-graph', 'formats']),
  'weights/keras': weights(['keras/config.ts', 'keras/layers.ts', 'keras/variables.ts'], ['keras-layers']),
  'weights/native': weights(['metadata.ts', 'native.ts', 'pretrained.ts', 'safetensors.ts', 'tensors.ts'], ['native', 'safetensors']),
};

const filesOf = (path) =>
  statSync(path).isDirectory() ? readdirSync(path).flatMap((name) => filesOf(`${path}/${name}`)) : path.endsWith('.ts') ? [path] : [];

export const NAMES = Object.keys(PARTS);
/** The folder of src/ that a part belongs to: its name, up to the first slash. */
export const folderOf = (name) => name.split('/')[0];
export const partOf = (name) => ({
  mutate: PARTS[name].mutate.flatMap((path) => filesOf(`src/${path}`)),
  tests: PARTS[name].tests.flatMap((path) => filesOf(`test/${path}`)).filter((path) => path.endsWith('.test.ts')),
});
