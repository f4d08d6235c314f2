// Makes build/standalone/, the package mobilenet-v3-wasm-standalone: what needs no bundler, and what runs where nothing may be compiled.
// It is a package of its own because its code is the other package's once more; who has a bundler need not install it.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { build } from 'esbuild';

const FOLDER = 'build/standalone';
const VARIANTS = ['baseline', 'relaxed'];

/** It is its own worker, so it holds none as text. */
const withoutWorkers = {
  name: 'without-workers',
  setup({ onLoad }) {
    onLoad({ filter: /binaries\/\w+-worker/ }, () => ({ contents: "export default ''" }));
  },
};

mkdirSync(FOLDER, { recursive: true });
await build({
  entryPoints: ['src/standalone.ts'],
  outfile: `${FOLDER}/mobilenet-v3-wasm.js`,
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  alias: { '#platform': './src/platform/standalone.ts' },
  plugins: [withoutWorkers],
  external: ['node:worker_threads'], // never asked for in a browser
  logLevel: 'warning',
});
for (const variant of VARIANTS) {
  const [, gzip] = /'(.*)'/.exec(readFileSync(`src/binaries/${variant}.ts`, 'utf8'));
  writeFileSync(`${FOLDER}/${variant}.wasm`, gunzipSync(Buffer.from(gzip, 'base64')));
}
writeFileSync(`${FOLDER}/module.d.ts`, 'declare const module: WebAssembly.Module;\nexport default module;\n');
copyFileSync('docs/standalone.md', `${FOLDER}/README.md`);
copyFileSync('LICENSE', `${FOLDER}/LICENSE`);

const { name, version, description, license, keywords } = JSON.parse(readFileSync('package.json', 'utf8'));
const own = {
  name: `${name}-standalone`,
  version,
  description: `${description}; one file, for pages without a bundler`,
  license,
  keywords,
  type: 'module',
  exports: {
    '.': { types: './mobilenet-v3-wasm.d.ts', default: './mobilenet-v3-wasm.js' },
    './*.wasm': { types: './module.d.ts', default: './*.wasm' },
  },
  types: './mobilenet-v3-wasm.d.ts',
};
writeFileSync(`${FOLDER}/package.json`, `${JSON.stringify(own, null, 2)}\n`);
