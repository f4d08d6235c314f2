// Compiles assembly/ to the two WebAssembly binaries and writes each as a module that holds it gzipped in base64, so that
// no bundler needs configuring and no page fetches anything. Compressed first: base64 hides repetition from a server's own.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import asc from 'assemblyscript/asc';

const LIMIT = 64 * 1024;
mkdirSync('src/runtime/binaries', { recursive: true });
for (const variant of ['baseline', 'relaxed']) {
  const { error, stdout, stderr } = await asc.main(['--config', 'asconfig.json', '--target', variant]);
  process.stderr.write(stdout.toString() + stderr.toString());
  if (error) throw error;
  const bytes = readFileSync(`build/${variant}.wasm`);
  if (bytes.length > LIMIT) throw new Error(`${variant}.wasm has ${bytes.length} bytes, more than ${LIMIT}`);
  const module = `// Made by scripts/build-wasm.mjs.\nconst gzip: string = '${gzipSync(bytes, { level: 9 }).toString('base64')}';\nexport default gzip;\n`;
  writeFileSync(`src/runtime/binaries/${variant}.ts`, module);
  console.log(`${variant}.wasm: ${bytes.length} bytes`);
}
