// Bundles each worker into a module that holds its source as a string: it starts from a blob, whatever the bundler.
import { mkdirSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

// The model's worker is given compiled modules, and threads by the page: it needs no binaries of its own, and videos stay in the page.
const withoutBinaries = {
  name: 'without-binaries',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /binaries\/(baseline|relaxed|model-worker|pool-worker)|\/frames\.js$/ }, ({ path }) => ({
      path,
      namespace: 'none',
    }));
    onLoad({ filter: /.*/, namespace: 'none' }, () => ({ contents: 'export default undefined' }));
  },
};
const WORKERS = [
  { name: 'pool-worker', entry: 'src/engine/threads/worker.ts' },
  { name: 'model-worker', entry: 'src/worker/start.ts', plugins: [withoutBinaries], alias: { '#platform': './src/platform/browser.ts' } },
];

mkdirSync('build/workers', { recursive: true });
for (const { name, entry, ...options } of WORKERS) {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    outfile: `build/workers/${name}.js`,
    sourcemap: 'external', // for npm run coverage
    format: 'iife',
    target: 'es2022',
    external: ['node:worker_threads'],
    logLevel: 'warning',
    ...options,
  });
  for (const { path, contents } of outputFiles) writeFileSync(path, contents);
  const code = outputFiles.find(({ path }) => path.endsWith('.js')).text;
  // The name under which npm run coverage finds it; the model's worker has a file of its own in Node.
  const text = name === 'model-worker' ? code : `${code}//# sourceURL=mobilenet-v3-wasm/${name}.js`;
  writeFileSync(
    `src/binaries/${name}.ts`,
    `// Made by scripts/build-workers.mjs from ${entry}.\nconst source: string = ${JSON.stringify(text)};\nexport default source;\n`,
  );
  console.log(`${name}: ${text.length} bytes`);
}
