import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
/** What threads need: a host that can set headers is to send these. */
const headers = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self' blob:",
  "connect-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
].join('; ');

/** Not while developing: the development server injects styles of its own. */
const strictPolicy: Plugin = {
  name: 'strict-policy',
  apply: 'build',
  transformIndexHtml: (html) => html.replace('<head>', `<head>\n    <meta http-equiv="content-security-policy" content="${POLICY}" />`),
};

export default defineConfig({
  root: here('.'),
  base: './',
  // Whether prepare-peers.mjs found LiteRT.js and tfjs.
  define: { 'import.meta.env.PEERS': JSON.stringify(existsSync(here('public/peers/worker.js'))) },
  resolve: { alias: { 'mobilenet-v3-wasm': here('../../dist/index.js') } },
  worker: { format: 'es' },
  plugins: [strictPolicy],
  build: {
    outDir: here('../../build/page'),
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    rollupOptions: { input: [here('index.html'), here('demo.html'), here('paper.html')] },
  },
  server: { headers, host: true },
  preview: { headers, host: true },
});
