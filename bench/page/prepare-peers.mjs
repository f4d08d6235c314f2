// Puts LiteRT.js and tfjs beside the page, where bench/ has them (npm --prefix bench ci): public/peers/, which the page asks for only
// when a person agrees.
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const MODULES = here('../node_modules/');
const FILES = [
  ...['', '_compat'].flatMap((kind) => ['js', 'wasm'].map((end) => `@litertjs/core/wasm/litert_wasm${kind}_internal.${end}`)),
  '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm',
];

rmSync(here('public/peers'), { recursive: true, force: true });
if (FILES.every((file) => existsSync(MODULES + file))) {
  mkdirSync(here('public/peers'), { recursive: true });
  for (const file of FILES) copyFileSync(MODULES + file, here(`public/peers/${file.slice(file.lastIndexOf('/'))}`));
  await build({
    entryPoints: [here('peers.mjs')],
    outfile: here('public/peers/worker.js'),
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2022',
    platform: 'browser',
    alias: { '#platform': here('../../src/platform/browser.ts') },
    logLevel: 'error',
  });
}
