// Makes dist/: one script, the kernels, and an int8 network, because a Worker's size is limited. wrangler would bundle it as well.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { loadModel, quantize } from 'mobilenet-v3-wasm';
import { listPictures, repository } from '../pictures.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
mkdirSync(here('dist'), { recursive: true });

/** Modules that the runtime itself loads keep their names. */
const runtimeModules = {
  name: 'runtime-modules',
  setup({ onResolve }) {
    onResolve({ filter: /\.(wasm|safetensors)$/ }, ({ path }) => ({ path: basename(path), external: true }));
  },
};
await build({
  entryPoints: [here('worker.js')],
  outfile: here('dist/worker.js'),
  bundle: true,
  minify: true,
  format: 'esm',
  conditions: ['workerd', 'worker', 'browser'],
  plugins: [runtimeModules],
});
for (const name of ['baseline', 'relaxed']) {
  copyFileSync(fileURLToPath(import.meta.resolve(`mobilenet-v3-wasm-standalone/${name}.wasm`)), here(`dist/${name}.wasm`));
}
const float = await loadModel(`${repository}checkpoints/mobilenet_v3_small.safetensors`);
const int8 = await quantize(float, listPictures('images/calibration'), { rounding: 'nearest' });
writeFileSync(here('dist/model.safetensors'), int8.save());
