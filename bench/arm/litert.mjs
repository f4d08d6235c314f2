// LiteRT.js in Node. It is made for pages and their workers; in Node its loader needs a worker's names and its own folder.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInThisContext } from 'node:vm';

const require = createRequire(import.meta.url);

/** @returns the module @litertjs/core, loaded on one thread; its binary has relaxed SIMD where this Node has it */
export async function loadLiteRt() {
  const folder = join(dirname(require.resolve('@litertjs/core')), '../wasm');
  const importScripts = (url) => {
    const path = url.startsWith('file:') ? fileURLToPath(url) : url;
    runInThisContext(readFileSync(path, 'utf8'), { filename: path });
  };
  Object.assign(globalThis, { self: globalThis, importScripts, require, __dirname: folder, __filename: join(folder, 'loader.js') });
  const litert = await import('@litertjs/core');
  await litert.loadLiteRt(`${folder}/`);
  return litert;
}
