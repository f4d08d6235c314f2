// Runs in Deno and Bun: each network by one thread and two, here and in a worker, with and without relaxed SIMD, in every way.
import { readFileSync } from 'node:fs';
import { loadModel } from 'mobilenet-v3-wasm';
import { conform } from './conform.mjs';

const settings = [];
for (const simd of ['baseline', 'auto']) {
  for (const threads of [1, 2]) {
    for (const worker of [false, true])
      settings.push({ name: `${simd}, ${threads} threads${worker ? ', worker' : ''}`, simd, threads, worker });
  }
  for (const kernels of ['pairs', 'products', 'planes']) settings.push({ name: `${simd}, ${kernels}`, simd, kernels });
}
const bytesOf = (name) => new Uint8Array(readFileSync(new URL(name, import.meta.url)));
console.log(`result ${JSON.stringify(await conform(loadModel, bytesOf, settings))}`);
process.exit(0);
