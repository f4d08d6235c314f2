// Bundles src/ to dist/: a few modules where there were sixty, because each costs Node a quarter of a millisecond to load.
import { readFileSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { build, transform } from 'esbuild';
import { rollup } from 'rollup';

const PUBLIC = ['index', 'kernels/index', 'worker/serve', 'transfer', 'cli/index'];
/** Found by their address: package.json's imports, and the model worker in Node. */
const ADDRESSED = ['platform/node', 'platform/browser', 'worker/start'];
/** Smaller shared pieces become part of a larger one. */
const SMALLEST_CHUNK = 1024;

const typescript = {
  name: 'typescript',
  resolveId: (id, importer) => (importer && id.startsWith('.') ? resolve(dirname(importer), id.replace(/\.js$/, '.ts')) : undefined),
  // A module that is imported for its effects alone: none here has any. Lines stay where the source map says they are.
  renderChunk: (code) => ({ code: code.replace(/^import '\.[^']+';$/gm, ''), map: null }),
  load: async (id) => {
    const options = { loader: 'ts', target: 'es2022', sourcemap: true, sourcefile: id, tsconfigRaw: {} };
    return transform(readFileSync(id, 'utf8'), options);
  },
};

rmSync('dist', { recursive: true, force: true });
const bundle = await rollup({
  input: Object.fromEntries([...PUBLIC, ...ADDRESSED].map((name) => [name, resolve(`src/${name}.ts`)])),
  external: /^(?!\.|\/)/,
  plugins: [typescript],
  treeshake: { moduleSideEffects: false },
});
await bundle.write({
  dir: 'dist',
  format: 'esm',
  sourcemap: 'hidden', // for npm run coverage; not published
  entryFileNames: '[name].js',
  // As deep as cli/ and platform/, so that an address relative to a module holds wherever its code ends up.
  chunkFileNames: 'chunks/[name]-[hash].js',
  experimentalMinChunkSize: SMALLEST_CHUNK,
  minifyInternalExports: false,
  hoistTransitiveImports: false,
});
await build({
  entryPoints: ['bench/internals.ts'],
  outfile: 'build/internals.js',
  bundle: true,
  format: 'esm',
  target: 'es2022',
  platform: 'node',
  packages: 'external',
  alias: { '#platform': './src/platform/node.ts' },
  logLevel: 'warning',
});
