// One engine's share of bench:peers, in Node: node peers-node.mjs MODEL_FOLDER ROUNDS. Prints JSON.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { readNetwork } from '../build/internals.js';
import { detectFeatures, loadModel } from '../dist/index.js';
import { contenders } from './contenders/index.mjs';
import { deviation, measure } from './measure.mjs';

const [folder, rounds] = process.argv.slice(2);
const require = createRequire(import.meta.url);

const ort = await import('onnxruntime-web');
ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';
const ortNative = (await import('onnxruntime-node')).default;
const tf = await import('@tensorflow/tfjs-core');
const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
await tf.setBackend('wasm');
await tf.ready();

const file = (name) => new Uint8Array(readFileSync(join(folder, name)));
const model = {
  float32: file('float32.safetensors'),
  int8: file('int8.safetensors'),
  ranges: JSON.parse(readFileSync(join(folder, 'ranges.json'), 'utf8')),
};
const all = await contenders({ loadModel, readNetwork, detectFeatures, ort, ortNative, tf }, model, { deviation });
const times = await measure(all, Number(rounds), () => process.stderr.write('.'));
console.log(
  JSON.stringify(
    times.map((time, i) => ({ ...time, precision: all[i].precision, threads: all[i].threads, deviation: all[i].deviation ?? 0 })),
  ),
);
process.exit(0); // tfjs keeps handles
