// Bundles the types of each entry to dist/: what is public and what it needs, instead of a file for each file of src/.
import { resolve } from 'node:path';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';

const ENTRIES = ['index', 'kernels/index', 'worker/serve', 'transfer', 'bundle'];

const bundle = await rollup({
  input: Object.fromEntries(ENTRIES.map((name) => [name, resolve(`src/${name}.ts`)])),
  // Protected members of the kernels' class have types of their own, which nobody outside needs.
  onLog: (level, log, handle) => {
    if (log.plugin !== 'dts' || !/still references private/.test(log.message)) handle(level, log);
  },
  plugins: [dts({ tsconfig: 'tsconfig.build.json' })],
});
await bundle.write({
  dir: 'dist',
  format: 'esm',
  entryFileNames: '[name].d.ts',
  chunkFileNames: 'types/[name].d.ts',
  // Model is disposable, whatever libraries a user's compiler is told of.
  banner: '/// <reference lib="esnext.disposable" />',
});
