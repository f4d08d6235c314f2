// What runs under the emulator, or on this machine to be timed: node infer.mjs ROW RUNS [time]. ROW is JSON of rows.mjs. Runs
// that many inferences; the last line of stdout is JSON: { logits, wasm, times }, or { skipped } with the reason. On stderr, where
// the emulator writes its log, stands what belongs to the last inference: it begins behind a line MARK and ends with another.
import { createHash } from 'node:crypto';
import { readFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { noise } from '../contenders/index.mjs';

const SIDE = 224;
const MARK = '\nMARK\n';
/** Before the first inference that is timed. */
const WARM = 15;

const [row, runs, time] = [JSON.parse(process.argv[2]), Number(process.argv[3]), process.argv[4] === 'time'];
const require = createRequire(import.meta.url);
const root = new URL('../../', import.meta.url);

// Compiled at once and on this thread, so that every run places the same code at the same addresses.
const { Module, Instance } = WebAssembly;
const hashes = [];
function compiled(bytes) {
  hashes.push(createHash('sha256').update(bytes).digest('hex'));
  return new Module(bytes);
}
WebAssembly.compile = async (bytes) => compiled(bytes);
WebAssembly.instantiate = async (source, imports) => {
  if (source instanceof Module) return new Instance(source, imports);
  const module = compiled(source);
  return { module, instance: new Instance(module, imports) };
};
WebAssembly.instantiateStreaming = undefined;

function finish(result) {
  process.stdout.write(`\n${JSON.stringify(result)}\n`, () => process.exit(0)); // tfjs keeps handles
  return new Promise(() => undefined);
}

/** Each gives a function that runs one inference and returns the logits. */
const ENGINES = {
  ours: async ({ file, simd, kernels }) => {
    const { loadModel } = await import(pathToFileURL(createRequire(new URL('package.json', root)).resolve('mobilenet-v3-wasm')));
    let model;
    try {
      model = await loadModel(readFileSync(file), { simd, threads: 1, ...(kernels ? { kernels } : {}) });
    } catch (error) {
      if (error.name !== 'UnsupportedModelError') throw error;
      return finish({ skipped: error.message });
    }
    // A build from before the option computes in pairs.
    const way = model.runtimeFeatures.kernels ?? 'pairs';
    if (kernels && way !== kernels) return finish({ skipped: `this build does not have kernels: '${kernels}'.` });
    const input = { data: noise(SIDE * SIDE * 3), shape: [1, SIDE, SIDE, 3] };
    return () => model.predict(input);
  },
  'LiteRT.js': async ({ file, precision }) => {
    const { loadLiteRt } = await import('./litert.mjs');
    const { litert } = await import('../contenders/litert.mjs');
    const floats = noise(SIDE * SIDE * 3);
    const input = precision === 'int8' ? Uint8Array.from(floats, (x) => 128 + x * 64) : floats;
    return (await litert(await loadLiteRt(), '', new Uint8Array(readFileSync(file)), SIDE, input)).run;
  },
  'tfjs-backend-wasm': async ({ file }) => {
    const { readNetwork } = await import('../../build/internals.js');
    const tf = await import('@tensorflow/tfjs-core');
    const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
    const { tfjs } = await import('../contenders/tfjs.mjs');
    setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
    await tf.setBackend('wasm');
    await tf.ready();
    return (await tfjs(tf, '', await readNetwork(readFileSync(file)), SIDE, noise(SIDE * SIDE * 3))).run;
  },
};

const run = await ENGINES[row.engine](row);
if (time) for (let i = 0; i < WARM; i++) await run();
const times = [];
let logits = [];
for (let i = 0; i < runs; i++) {
  const isMarked = !time && i === runs - 1;
  if (isMarked) writeSync(2, MARK);
  const start = performance.now();
  logits = await run();
  times.push(performance.now() - start);
  if (isMarked) writeSync(2, MARK);
}
await finish({ logits: [...logits.slice(0, 4)], wasm: hashes, ...(time ? { times } : {}) });
