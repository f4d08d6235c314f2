// npm run bench:start: from import to the first logits of a Small whose bytes are in memory, each in a process of its own.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { noise } from './contenders/index.mjs';
import { median } from './measure.mjs';
import { prepare, root } from './prepare.mjs';

const PROCESSES = 11;
const CHECKPOINT = 'mobilenet_v3_small';
const SIDE = 224;
const file = (name) => new Uint8Array(readFileSync(join(root, 'build/bench', CHECKPOINT, name)));
const input = noise(SIDE * SIDE * 3);

/** Each gives a function that is timed; what stands before it is bytes in memory. */
const CONTENDERS = {
  'ours, int8': () => {
    const bytes = file('int8.safetensors');
    return () => ours(bytes);
  },
  'ours, float32': () => {
    const bytes = file('float32.safetensors');
    return () => ours(bytes);
  },
  'onnxruntime-web, float32': async () => {
    const { readNetwork } = await import('../build/internals.js');
    const { onnxModel } = await import('./contenders/onnx-model.mjs');
    const bytes = onnxModel(await readNetwork(file('float32.safetensors')), SIDE);
    return async () => {
      const ort = await import('onnxruntime-web');
      ort.env.wasm.numThreads = 1;
      const { onnxruntime } = await import('./contenders/onnxruntime.mjs');
      return (await onnxruntime(ort, '', bytes, SIDE, input)).run();
    };
  },
  'tfjs-backend-wasm, float32': async () => {
    const { readNetwork } = await import('../build/internals.js');
    const network = await readNetwork(file('float32.safetensors'));
    const folder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));
    return async () => {
      const tf = await import('@tensorflow/tfjs-core');
      const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
      setWasmPaths(`${folder}/`);
      await tf.setBackend('wasm');
      const { tfjs } = await import('./contenders/tfjs.mjs');
      return (await tfjs(tf, '', network, SIDE, input)).run();
    };
  },
};

async function ours(bytes) {
  const { loadModel } = await import('../dist/index.js');
  return (await loadModel(bytes)).predict({ data: input, shape: [1, SIDE, SIDE, 3] });
}

const [, , asked] = process.argv;
if (asked !== undefined) {
  const run = await CONTENDERS[asked]();
  const start = performance.now();
  const logits = await run();
  console.log(JSON.stringify({ ms: performance.now() - start, classes: logits.length }));
  process.exit(0); // tfjs keeps handles
}

await prepare(CHECKPOINT);
const names = Object.keys(CONTENDERS);
const times = new Map(names.map((name) => [name, []]));
for (let i = 0; i < PROCESSES; i++) {
  for (const name of names) {
    const output = execFileSync(process.execPath, ['--no-warnings', fileURLToPath(import.meta.url), name], { encoding: 'utf8' });
    times.get(name).push(JSON.parse(output.trim().split('\n').at(-1)).ms);
  }
}
console.log(`import to first logits, ${CHECKPOINT}, medians of ${PROCESSES} processes, Node ${process.version}`);
for (const [name, values] of times) {
  console.log(
    `  ${name.padEnd(28)} ${median(values).toFixed(1).padStart(6)} ms (${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)})`,
  );
}
