// Bundles the types of each entry: what is public and what it needs, instead of a file for each file of src/.
import { resolve } from 'node:path';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';

const ENTRIES = ['index', 'kernels/index', 'worker/serve', 'transfer'];

const options = {
  // Protected members of the kernels' class have types of their own, which nobody outside needs.
  onLog: (level, log, handle) => {
    if (log.plugin !== 'dts' || !/still references private/.test(log.message)) handle(level, log);
  },
  plugins: [dts({ tsconfig: 'tsconfig.build.json' })],
};
// Model is disposable, whatever libraries a user's compiler is told of.
const banner = '/// <reference lib="esnext.disposable" />';

const entries = await rollup({ ...options, input: Object.fromEntries(ENTRIES.map((name) => [name, resolve(`src/${name}.ts`)])) });
await entries.write({ dir: 'dist', format: 'esm', entryFileNames: '[name].d.ts', chunkFileNames: 'types/[name].d.ts', banner });
const standalone = await rollup({ ...options, input: 'src/standalone.ts' });
await standalone.write({ file: 'build/standalone/mobilenet-v3-wasm.d.ts', format: 'esm', banner });
