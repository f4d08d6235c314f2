// node scripts/build-wasm.mjs [--fast]
// Compiles assembly/ to its WebAssembly binaries and writes each as a module that holds it gzipped in base64: no bundler needs
// configuring, no page fetches anything, and a page loads only the binary that it runs. Compressed first: base64 hides repetition
// from a server's own.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import zopfli from '@gfx/zopfli';
import asc from 'assemblyscript/asc';

const fast = process.argv.includes('--fast');
/** Bytes that a binary may have: a kernel that is inlined once too often shows here. */
const LIMIT = 88 * 1024;
const VARIANTS = ['baseline', 'relaxed'];
/** The custom section by which src/engine/compiled.ts knows a module that a caller has compiled. */
const SECTION = 'mobilenet-v3-wasm';

const compiled = [];
for (const variant of VARIANTS) {
  const { error, stdout, stderr } = await asc.main(['--config', 'asconfig.json', '--target', variant]);
  process.stderr.write(stdout.toString() + stderr.toString());
  if (error) throw error;
  const bytes = readFileSync(`build/${variant}.wasm`);
  if (bytes.length > LIMIT) throw new Error(`${variant}.wasm has ${bytes.length} bytes, more than ${LIMIT}`);
  compiled.push(bytes);
}
/** Of these kernels, and of no others: modules and code of different releases must not meet. */
const release = createHash('sha256').update(Buffer.concat(compiled)).digest('hex').slice(0, 8);

/** With a section that tells the variant and the release. Each length is below 128, so it is one byte. */
function named(bytes, variant) {
  const name = Buffer.from(SECTION);
  const text = Buffer.from(`${variant} ${release}`);
  return Buffer.concat([bytes, Buffer.of(0, 1 + name.length + text.length, name.length), name, text]);
}

mkdirSync('src/binaries', { recursive: true });
const made = (name, value) =>
  writeFileSync(
    `src/binaries/${name}.ts`,
    `// Made by scripts/build-wasm.mjs.\nconst value: string = '${value}';\nexport default value;\n`,
  );
for (const [i, variant] of VARIANTS.entries()) {
  const bytes = named(compiled[i], variant);
  writeFileSync(`build/${variant}.wasm`, bytes);
  const gzip = fast ? gzipSync(bytes, { level: 9 }) : Buffer.from(await promisify(zopfli.gzip)(bytes, { numiterations: 50 }));
  console.log(`${variant}.wasm: ${bytes.length} bytes, compressed ${gzip.length}`);
  made(variant, gzip.toString('base64'));
}
made('release', release);
