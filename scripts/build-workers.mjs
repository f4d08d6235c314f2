// Bundles each worker into a module that holds its source as a string: it starts from a blob, whatever the bundler.
import { writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const WORKERS = { 'pool-worker': 'src/runtime/threads/worker.ts' };

for (const [name, entry] of Object.entries(WORKERS)) {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    external: ['node:worker_threads'],
    logLevel: 'warning',
  });
  const [{ text }] = outputFiles;
  writeFileSync(
    `src/runtime/binaries/${name}.ts`,
    `// Made by scripts/build-workers.mjs from ${entry}.\nconst source: string = ${JSON.stringify(text)};\nexport default source;\n`,
  );
  console.log(`${name}: ${text.length} bytes`);
}
