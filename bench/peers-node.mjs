// One engine's share of bench:peers, in Node: node peers-node.mjs MODEL_FOLDER THREADS ROUNDS. Prints JSON.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { inferShapes, readNetwork } from '../build/internals.js';
import { detectFeatures, loadModel } from '../dist/index.js';
import { tfliteModel } from '../scripts/tflite.mjs';
import { loadLiteRt } from './arm/litert.mjs';
import { contenders } from './contenders/index.mjs';
import { onnxModel } from './contenders/onnx-model.mjs';
import { deviation, measure } from './measure.mjs';

const [folder, threads, rounds] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const require = createRequire(import.meta.url);

const ort = await import('onnxruntime-web');
ort.env.wasm.numThreads = threads;
ort.env.logLevel = 'error';
const ortNative = (await import('onnxruntime-node')).default;
// These two have no threads in Node.
const alone = {};
if (threads === 1) {
  const tf = await import('@tensorflow/tfjs-core');
  const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
  await tf.setBackend('wasm');
  await tf.ready();
  Object.assign(alone, { tf, litert: await loadLiteRt() });
}

const file = (name) => new Uint8Array(readFileSync(join(folder, name)));
const model = existsSync(join(folder, 'quantized.tflite'))
  ? { quantized: file('quantized.tflite'), picture: file('picture.rgb') }
  : {
      float32: file('float32.safetensors'),
      int8: file('int8.safetensors'),
      ranges: JSON.parse(readFileSync(join(folder, 'ranges.json'), 'utf8')),
    };
const engine = { loadModel, readNetwork, inferShapes, tfliteModel, onnxModel, detectFeatures, ort, ortNative, ...alone };
const all = await contenders(engine, model, { deviation, threads });
const times = await measure(all, rounds, () => process.stderr.write('.'));
const rows = times.map((time, i) => ({ ...time, precision: all[i].precision, threads, deviation: all[i].deviation ?? 0 }));
process.stdout.write(`\n${JSON.stringify(rows)}\n`, () => process.exit(0)); // tfjs keeps handles
