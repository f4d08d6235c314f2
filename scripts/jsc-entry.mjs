// What JavaScriptCore's shell computes: as fingerprint.mjs, without anything that a shell lacks. Bundled by jsc.mjs.
import { loadModel } from '../src/index.ts';

const SIDE = 224;
const input = { data: Float32Array.from({ length: SIDE * SIDE * 3 }, (_, i) => Math.sin(i * 12.9898) * 1.5), shape: [1, SIDE, SIDE, 3] };

async function main() {
  for (const { file, simd, kernels } of RUNS) {
    const model = await loadModel(new Uint8Array(readFile(file, 'binary')), { simd, kernels, threads: 1 });
    const start = performance.now();
    const logits = [...(await model.predict(input))];
    const { precision, runtimeFeatures } = model;
    const { kernels: way } = runtimeFeatures;
    print(JSON.stringify({ file, precision, simd: runtimeFeatures.simd, way, logits, seconds: (performance.now() - start) / 1000 }));
    model.dispose();
  }
}
main().catch((error) => print(JSON.stringify({ error: `${error.name}: ${error.message}\n${error.stack}` })));
