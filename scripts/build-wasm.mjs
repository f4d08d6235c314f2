// node scripts/build-wasm.mjs [--fast]
// Compiles assembly/ to the two WebAssembly binaries and writes them as one module that holds them gzipped in base64, so that
// no bundler needs configuring and no page fetches anything. Compressed first: base64 hides repetition from a server's own.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import zopfli from '@gfx/zopfli';
import asc from 'assemblyscript/asc';

const fast = process.argv.includes('--fast');

const LIMIT = 96 * 1024;
/** The two are much alike. In turn, chunk by chunk, one lies within gzip's window of 32 KiB when the other is compressed. */
const CHUNK = 8 * 1024;

const binaries = {};
for (const variant of ['baseline', 'relaxed']) {
  const { error, stdout, stderr } = await asc.main(['--config', 'asconfig.json', '--target', variant]);
  process.stderr.write(stdout.toString() + stderr.toString());
  if (error) throw error;
  const bytes = readFileSync(`build/${variant}.wasm`);
  if (bytes.length > LIMIT) throw new Error(`${variant}.wasm has ${bytes.length} bytes, more than ${LIMIT}`);
  binaries[variant] = bytes;
  console.log(`${variant}.wasm: ${bytes.length} bytes`);
}
const { baseline, relaxed } = binaries;
const chunks = [];
for (let at = 0; at < Math.max(baseline.length, relaxed.length); at += CHUNK) {
  chunks.push(baseline.subarray(at, at + CHUNK), relaxed.subarray(at, at + CHUNK));
}
const joined = Buffer.concat(chunks);
const gzip = fast ? gzipSync(joined, { level: 9 }) : Buffer.from(await promisify(zopfli.gzip)(joined, { numiterations: 50 }));
console.log(`both, compressed: ${gzip.length} bytes`);
mkdirSync('src/binaries', { recursive: true });
writeFileSync(
  'src/binaries/kernels.ts',
  `// Made by scripts/build-wasm.mjs: both binaries in turn, chunk by chunk, gzipped, in base64.
export const CHUNK = ${CHUNK};
export const BYTES = { baseline: ${baseline.length}, relaxed: ${relaxed.length} };
export const GZIP: string = '${gzip.toString('base64')}';
`,
);
