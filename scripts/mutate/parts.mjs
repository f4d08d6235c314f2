import { readdirSync, statSync } from 'node:fs';

// What is mutated together, and the tests that must notice: files or folders of src/ and test/. The fewer the tests, the sooner it is done.
/** What float32 and all ways of lanes share. */
const SHARED = ['arithmetic', 'blocks', 'constants', 'convert', 'convolution', 'dense', 'elementwise', 'ways'];
const ONNX = ['convolution', 'model', 'network', 'protobuf', 'quantized', 'values'].map((name) => `onnx/${name}`);
const TFLITE = ['flatbuffer', 'metadata', 'model', 'network'].map((name) => `tflite/${name}`);
const TFJS = ['graph-model', 'manifest', 'network', 'order'].map((name) => `tfjs/${name}`);
const part = (folder, names, tests) => ({
  mutate: names.map((name) => `${folder}/${name}.ts`),
  tests: tests.map((name) => `${folder}/${name}.test.ts`),
});
const PARTS = {
  image: { mutate: ['image'], tests: ['image'] },
  'compute/shared': { mutate: SHARED.map((name) => `compute/${name}.ts`), tests: ['compute'] },
  'compute/float32': { mutate: ['compute/float32'], tests: ['compute'] },
  'compute/lanes': { mutate: ['compute/lanes'], tests: ['compute'] },
  'runtime/plan': {
    mutate: ['arena', 'integers', 'packed-network', 'plan', 'session', 'tensors'].map((name) => `runtime/${name}.ts`),
    tests: [...['arena', 'helpers', 'plan', 'reconsider', 'session', 'tensors'].map((name) => `runtime/${name}.test.ts`), 'compute'],
  },
  'runtime/race': part('runtime', ['race', 'way'], ['race']),
  'quantization/filters': part(
    'quantization',
    ['eight-bits', 'factors', 'filters', 'tensor-costs'],
    ['filters', 'factors', 'eight-bits', 'headroom', 'compensate', 'tensor-costs', 'small'],
  ),
  'quantization/compensate': part('quantization', ['compensate', 'covariance', 'piece'], ['compensate', 'covariance']),
  'quantization/ranges': part(
    'quantization',
    ['calibrate', 'dequantize', 'divergence', 'histogram', 'integers', 'lanes', 'observe', 'quantize', 'schemes'],
    ['histogram', 'headroom', 'small'],
  ),
  'quantization/choice': part('quantization', ['frontier', 'refine', 'sensitivity'], ['frontier', 'sensitivity', 'small']),
  graph: { mutate: ['graph'], tests: ['graph', 'architecture'] },
  'weights/builder': part(
    'weights',
    ['arithmetic', 'builder', 'built', 'constants', 'finish', 'fold', 'layout', 'load', 'readers', 'resolution'],
    ['builder', 'readers', 'formats'],
  ),
  'weights/names': part(
    'weights',
    ['checkpoint', 'export', 'head', 'identify', 'named', 'names', 'recognize', 'widths'],
    ['names', 'recognize', 'head'],
  ),
  'weights/torch': part('weights', ['torch/checkpoint', 'torch/pickle', 'torch/zip'], ['pickle']),
  'weights/onnx': part('weights', ONNX, ['onnx-operators', 'formats']),
  'weights/tflite': part('weights', TFLITE, ['tflite-operators', 'formats']),
  'weights/tfjs': part('weights', TFJS, ['tfjs-graph', 'formats']),
  'weights/keras': part('weights', ['keras/config', 'keras/layers', 'keras/variables'], ['keras-layers']),
  'weights/keras-file': part('weights', ['keras/file', 'keras/lists'], ['keras-archive', 'formats']),
  'weights/hdf5': part('weights', ['hdf5/cursor', 'hdf5/file', 'hdf5/messages'], ['hdf5']),
  'weights/write': part('weights', ['onnx/encode', 'onnx/write', 'tflite/encode', 'tflite/steps', 'tflite/write'], ['write']),
  'weights/native': part(
    'weights',
    ['metadata', 'native', 'native-reader', 'pretrained', 'safetensors', 'safetensors-reader', 'tensors'],
    ['native', 'safetensors'],
  ),
};

export const filesOf = (path) =>
  statSync(path).isDirectory() ? readdirSync(path).flatMap((name) => filesOf(`${path}/${name}`)) : path.endsWith('.ts') ? [path] : [];

export const NAMES = Object.keys(PARTS);
/** The folder of src/ that a part belongs to: its name, up to the first slash. */
export const folderOf = (name) => name.split('/')[0];
export const partOf = (name) => ({
  mutate: PARTS[name].mutate.flatMap((path) => filesOf(`src/${path}`)),
  tests: PARTS[name].tests.flatMap((path) => filesOf(`test/${path}`)).filter((path) => path.endsWith('.test.ts')),
});
