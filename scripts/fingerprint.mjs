// What this engine computes, for arm64.mjs: node fingerprint.mjs RUNS INFERENCES. RUNS is JSON, [{ file, simd, threads, kernels }].
// Prints a line of JSON for each: the logits of the last inference, or why there are none.
import { readFileSync } from 'node:fs';
import { loadModel } from '../dist/index.js';

const [runs, inferences] = [JSON.parse(process.argv[2]), Number(process.argv[3])];
const SIDE = 224;
const input = { data: Float32Array.from({ length: SIDE * SIDE * 3 }, (_, i) => Math.sin(i * 12.9898) * 1.5), shape: [1, SIDE, SIDE, 3] };
for (const { file, ...options } of runs) {
  try {
    const model = await loadModel(readFileSync(file), options);
    let logits;
    for (let i = 0; i < inferences; i++) logits = await model.predict(input);
    const { precision, runtimeFeatures } = model;
    console.log(JSON.stringify({ precision, features: runtimeFeatures, logits: [...logits] }));
    model.dispose();
  } catch (error) {
    if (error.name !== 'UnsupportedModelError') throw error;
    console.log(JSON.stringify({ missing: error.message }));
  }
}
