// node scripts/build-wasm.mjs [--fast]
// Compiles assembly/ to its WebAssembly binaries and writes each as a module that holds it gzipped in base64: no bundler needs
// configuring, no page fetches anything, and a page loads only the binary that it runs. Compressed first: base64 hides repetition
// from a server's own.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import zopfli from '@gfx/zopfli';
import asc from 'assemblyscript/asc';

const fast = process.argv.includes('--fast');
/** Bytes that a binary may have: a kernel that is inlined once too often shows here. */
const LIMIT = 80 * 1024;

mkdirSync('src/binaries', { recursive: true });
for (const variant of ['baseline', 'relaxed']) {
  const { error, stdout, stderr } = await asc.main(['--config', 'asconfig.json', '--target', variant]);
  process.stderr.write(stdout.toString() + stderr.toString());
  if (error) throw error;
  const bytes = readFileSync(`build/${variant}.wasm`);
  if (bytes.length > LIMIT) throw new Error(`${variant}.wasm has ${bytes.length} bytes, more than ${LIMIT}`);
  const gzip = fast ? gzipSync(bytes, { level: 9 }) : Buffer.from(await promisify(zopfli.gzip)(bytes, { numiterations: 50 }));
  console.log(`${variant}.wasm: ${bytes.length} bytes, compressed ${gzip.length}`);
  writeFileSync(
    `src/binaries/${variant}.ts`,
    `// Made by scripts/build-wasm.mjs: ${variant}.wasm, gzipped, in base64.\nconst gzip: string = '${gzip.toString('base64')}';\nexport default gzip;\n`,
  );
}
