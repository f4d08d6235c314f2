// Both in one page, in turn, on the same picture: milliseconds of classify(), from the picture to the probabilities.

import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { load as loadOurs } from './model.js';
import { load as loadTheirs } from './nsfwjs.js';

setWasmPaths('./tfjs/');
/** Rounds before and in the measurement: those without WebAssembly take seconds on a machine without a GPU. */
const ROUNDS = { wasm: [8, 40], webgl: [2, 8], cpu: [1, 3] };

async function picture() {
  const image = Object.assign(new Image(), { src: '/pictures/validation/0196/0.jpg' });
  await image.decode();
  const canvas = Object.assign(document.createElement('canvas'), { width: 224, height: 224 });
  canvas.getContext('2d').drawImage(image, 0, 0, 224, 224);
  return canvas;
}
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

async function race() {
  const canvas = await picture();
  const result = {};
  const ours = await loadOurs();
  for (const backend of Object.keys(ROUNDS)) {
    globalThis.doing = backend;
    const theirs = await loadTheirs(backend);
    if (!theirs) continue;
    const [warmUp, rounds] = ROUNDS[backend];
    const [a, b] = [[], []];
    for (let i = 0; i < warmUp + rounds; i++) {
      const start = performance.now();
      const mine = await ours.classify(canvas);
      const between = performance.now();
      const other = await theirs.classify(canvas);
      const end = performance.now();
      if (i >= warmUp) {
        a.push(between - start);
        b.push(end - between);
      }
      result.ours = Object.fromEntries(mine.map(({ label, probability }) => [label, probability]));
      result.theirs = Object.fromEntries(other.map(({ className, probability }) => [className, probability]));
    }
    result[backend] = { ours: median(a), theirs: median(b), rounds: a.length };
  }
  return { ...result, features: ours.runtimeFeatures };
}
race().then(
  (result) => {
    globalThis.result = result;
  },
  (error) => {
    globalThis.result = { error: String(error.stack ?? error) };
  },
);
