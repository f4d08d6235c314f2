// What bench/peers-chromium.mjs bundles and runs in a page: one engine's share of bench:peers.
import * as LiteRt from '@litertjs/core';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import * as ort from 'onnxruntime-web/wasm';
import { detectFeatures, loadModel } from '../dist/index.js';
import { tfliteModel } from '../scripts/tflite.mjs';
import { contenders } from './contenders/index.mjs';
import { onnxModel } from './contenders/onnx-model.mjs';
import { inferShapes, readNetwork } from './internals.ts';
import { deviation, measure } from './measure.mjs';

const file = async (name) => {
  const answer = await fetch(`/model/${name}`);
  return answer.ok ? new Uint8Array(await answer.arrayBuffer()) : undefined;
};

/** @returns rows for bench/peers.mjs */
globalThis.runPeers = async (threads, rounds) => {
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = '/ort/';
  ort.env.logLevel = 'error';
  setWasmPaths('/tfjs/');
  setThreadsCount(threads);
  await tf.setBackend('wasm');
  await tf.ready();
  await LiteRt.loadLiteRt('/litert/', { threads: threads > 1 });
  const quantized = await file('quantized.tflite');
  const model = quantized
    ? { quantized, picture: await file('picture.rgb') }
    : {
        float32: await file('float32.safetensors'),
        int8: await file('int8.safetensors'),
        ranges: JSON.parse(new TextDecoder().decode(await file('ranges.json'))),
      };
  const engine = { loadModel, readNetwork, inferShapes, tfliteModel, onnxModel, detectFeatures, ort, tf, litert: LiteRt };
  const all = await contenders(engine, model, { deviation, threads });
  const times = await measure(all, rounds);
  return times.map((time, i) => ({ ...time, precision: all[i].precision, threads, deviation: all[i].deviation ?? 0 }));
};
