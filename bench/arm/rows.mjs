// What is estimated: networks by contenders. A new way of computing, engine or network is a line here.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inferShapes, readNetwork } from '../../build/internals.js';
import { tfliteModel } from '../../scripts/tflite.mjs';
import { prepare, root } from '../prepare.mjs';

const NETWORKS = [
  { network: 'V3-Small', checkpoint: 'mobilenet_v3_small' },
  { network: 'V3-Large', checkpoint: 'mobilenet_v3_large' },
  { network: 'V2, 8-bit .tflite', tflite: '../shared/models/v2-1.0-224-ptq-int8.tflite' },
];

/** `kernels`: the way int8 is computed, an option of loadModel(). A way that a build or an engine lacks is skipped. */
const CONTENDERS = [
  { engine: 'ours', precision: 'float32', simd: 'baseline' },
  { engine: 'ours', precision: 'float32', simd: 'relaxed' },
  { engine: 'ours', precision: 'int8', kernels: 'pairs', simd: 'baseline' },
  { engine: 'ours', precision: 'int8', kernels: 'pairs', simd: 'relaxed' },
  { engine: 'ours', precision: 'int8', kernels: 'products', simd: 'baseline' },
  { engine: 'ours', precision: 'int8', kernels: 'products', simd: 'relaxed' },
  { engine: 'ours', precision: 'int8', kernels: 'planes', simd: 'relaxed' },
  { engine: 'LiteRT.js', precision: 'float32', simd: 'relaxed' },
  { engine: 'LiteRT.js', precision: 'int8', simd: 'relaxed' },
  { engine: 'tfjs-backend-wasm', precision: 'float32', simd: 'baseline' },
];

/** The network in TensorFlow Lite's format, float32. */
async function asTflite(file, side = 224) {
  const network = await readNetwork(readFileSync(file));
  const bytes = tfliteModel(network, inferShapes(network.graph.nodes, [['input', [side, side, 3]]]));
  const target = file.replace('.safetensors', '.tflite');
  writeFileSync(target, bytes);
  return target;
}

/** The file that a contender runs, by precision and engine; undefined: this network has no such file. */
async function filesOf({ checkpoint, tflite }) {
  if (tflite) {
    const file = join(root, tflite);
    return { int8: { ours: file, 'LiteRT.js': file } };
  }
  const folder = await prepare(checkpoint);
  const float32 = join(folder, 'float32.safetensors');
  return {
    float32: { ours: float32, 'LiteRT.js': await asTflite(float32), 'tfjs-backend-wasm': float32 },
    int8: { ours: join(folder, 'int8.safetensors') },
  };
}

/** @returns rows { name, network, engine, precision, simd, kernels, file }; `missing` where the file is not here */
export async function rows() {
  const all = [];
  for (const each of NETWORKS) {
    const files = await filesOf(each);
    for (const contender of CONTENDERS) {
      const file = files[contender.precision]?.[contender.engine];
      if (!file) continue;
      const { engine, precision, kernels, simd } = contender;
      const name = [each.network, engine, precision, kernels, simd].filter(Boolean).join(', ');
      const missing = existsSync(file) ? {} : { missing: `${each.tflite} is not here` };
      all.push({ name, network: each.network, ...contender, file, ...missing });
    }
  }
  return all;
}
