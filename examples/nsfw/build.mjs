// Makes dist/: the page; nsfwjs' network as the files that it is made of, from the npm package; and, to compare with, a page of nsfwjs.
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const require = createRequire(import.meta.url);
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const packageOf = (name) => join(require.resolve('nsfwjs').split('/nsfwjs/')[0], name);

// The package holds the network as scripts: model.json as an object, and each shard as base64.
rmSync(here('dist'), { recursive: true, force: true });
mkdirSync(here('dist/model'), { recursive: true });
const model = require(join(packageOf('nsfwjs'), 'dist/models/mobilenet_v2/model.min.js'));
writeFileSync(here('dist/model/model.json'), JSON.stringify(model));
for (const path of model.weightsManifest.flatMap(({ paths }) => paths)) {
  const shard = require(join(packageOf('nsfwjs'), `dist/models/mobilenet_v2/${path}of1.min.js`.replace('of1of1', 'of1')));
  writeFileSync(here(`dist/model/${path}`), Buffer.from(shard, 'base64'));
}

for (const [folder, entry] of Object.entries({
  '': 'page.js',
  nsfwjs: 'nsfwjs-page.js',
  'nsfwjs-wasm': 'nsfwjs-wasm.js',
  race: 'race.js',
})) {
  await build({
    entryPoints: [here(entry)],
    outdir: here(join('dist', folder)),
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    chunkNames: '[hash]', // each chunk names those that it imports
    logLevel: 'error',
    define: { global: 'globalThis' },
  });
}
for (const name of ['index.html', 'style.css']) cpSync(here(name), here(`dist/${name}`));
const wasm = dirname(require.resolve('@tensorflow/tfjs-backend-wasm'));
mkdirSync(here('dist/tfjs'), { recursive: true });
for (const name of readdirSync(wasm).filter((name) => name.endsWith('.wasm'))) cpSync(join(wasm, name), here(`dist/tfjs/${name}`));
const page = (script) => `<!doctype html><title>nsfwjs</title><script type="module" src="./${script}"></script>`;
writeFileSync(here('dist/nsfwjs.html'), page('nsfwjs/nsfwjs-page.js'));
writeFileSync(here('dist/nsfwjs-wasm.html'), page('nsfwjs-wasm/nsfwjs-wasm.js'));
writeFileSync(here('dist/race.html'), page('race/race.js'));
