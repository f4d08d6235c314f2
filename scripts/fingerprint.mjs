// What this engine computes: logits of one input for every variant and number of threads, as JSON. For arm64.mjs.
import { readFileSync } from 'node:fs';
import { detectFeatures, loadModel } from '../dist/index.js';

const [, , ...files] = process.argv;
const SIDE = 224;
const input = { data: Float32Array.from({ length: SIDE * SIDE * 3 }, (_, i) => Math.sin(i * 12.9898) * 1.5), shape: [1, SIDE, SIDE, 3] };
const results = [];
for (const file of files) {
  const bytes = readFileSync(file);
  for (const simd of detectFeatures().relaxedSimd ? ['baseline', 'relaxed'] : ['baseline']) {
    for (const threads of [1, 2, 4]) {
      const model = await loadModel(bytes, { simd, threads });
      const { precision, runtimeFeatures } = model;
      results.push({ file, precision, simd, threads: runtimeFeatures.threads, logits: [...(await model.predict(input))] });
      model.dispose();
    }
  }
}
console.log(JSON.stringify({ arch: process.arch, version: process.version, results }));
