// An extension may load nothing from elsewhere: its folder gets the standalone package's one file and the weights.
import { cp, mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
await mkdir(here('dist'), { recursive: true });
for (const name of ['manifest.json', 'background.js', 'content.js', 'popup.html', 'popup.css', 'popup.js'])
  await cp(here(name), here(`dist/${name}`));
await cp(fileURLToPath(import.meta.resolve('mobilenet-v3-wasm-standalone')), here('dist/mobilenet-v3-wasm.js'));
await cp(here('../../checkpoints/mobilenet_v3_small.safetensors'), here('dist/mobilenet_v3_small.safetensors'));
