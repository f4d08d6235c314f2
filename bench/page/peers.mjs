// The worker that measures LiteRT.js and tfjs beside this package. It is a script of its own, which nothing loads before a person asks
// for it; and a classic one, because LiteRT.js loads its own parts by importScripts().
import * as LiteRt from '@litertjs/core';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { detectFeatures, loadModel } from '../../dist/index.js';
import { tfliteModel } from '../../scripts/tflite.mjs';
import { contenders } from '../contenders/index.mjs';
import { inferShapes, readNetwork } from '../internals.ts';
import { deviation, measure } from '../measure.mjs';

async function run({ base, networks, rounds }) {
  // One thread each: of tfjs' three binaries the one with SIMD alone is there.
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  setWasmPaths(`${base}peers/`);
  await tf.setBackend('wasm');
  await tf.ready();
  await LiteRt.loadLiteRt(`${base}peers/`);
  const peers = [];
  for (const network of networks) {
    const int8 = new Uint8Array(await (await fetch(`${base}${network}.int8.safetensors`)).arrayBuffer());
    const behind = await loadModel(int8, { precision: 'float32' });
    const model = { int8, float32: behind.save() };
    behind.dispose();
    const engine = { loadModel, readNetwork, inferShapes, tfliteModel, detectFeatures, tf, litert: LiteRt };
    const all = await contenders(engine, model, { deviation, threads: 1 });
    const text = `${network} beside LiteRT.js and tfjs`;
    const times = await measure(all, rounds, (round) => postMessage({ text, done: round, all: rounds }));
    for (const [i, { name, median, p10, p90 }] of times.entries())
      peers.push({ network, precision: all[i].precision, name, median, p10, p90 });
    for (const contender of all) contender.dispose();
  }
  return peers;
}

self.onmessage = ({ data }) =>
  run(data).then(
    (peers) => postMessage({ peers }),
    (error) => postMessage({ failure: String(error?.message ?? error) }),
  );
