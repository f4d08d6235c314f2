// Runs in workerd: each network by the kernels that the runtime has compiled, in every way. There are no threads and no workers.
import { loadModel } from 'mobilenet-v3-wasm';
import baseline from 'mobilenet-v3-wasm-standalone/baseline.wasm';
import relaxed from 'mobilenet-v3-wasm-standalone/relaxed.wasm';
import { conform } from './conform.mjs';
import input from './input.data';
import largeFloat32 from './large-float32.data';
import largeInt8 from './large-int8.data';
import smallFloat32 from './small-float32.data';
import smallInt8 from './small-int8.data';

const files = {
  input,
  'small-float32': smallFloat32,
  'small-int8': smallInt8,
  'large-float32': largeFloat32,
  'large-int8': largeInt8,
};
const settings = [
  { name: 'baseline alone', compiled: baseline },
  { name: 'both', compiled: { baseline, relaxed } },
];
for (const kernels of ['pairs', 'products', 'planes']) settings.push({ name: kernels, compiled: { baseline, relaxed }, kernels });

export default {
  fetch: async () => Response.json(await conform(loadModel, async (name) => new Uint8Array(files[name]), settings)),
};
