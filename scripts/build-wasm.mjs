// Compiles assembly/ to the two WebAssembly binaries and writes each as a module that holds it in base64, so that no
// bundler needs configuring and no page fetches anything.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import asc from 'assemblyscript/asc';

const LIMIT = 64 * 1024;
mkdirSync('src/runtime/binaries', { recursive: true });
for (const variant of ['baseline', 'relaxed']) {
  const { error, stdout, stderr } = await asc.main(['--config', 'asconfig.json', '--target', variant]);
  process.stderr.write(stdout.toString() + stderr.toString());
  if (error) throw error;
  const bytes = readFileSync(`build/${variant}.wasm`);
  if (bytes.length > LIMIT) throw new Error(`${variant}.wasm has ${bytes.length} bytes, more than ${LIMIT}`);
  const module = `// Made by scripts/build-wasm.mjs.\nexport default '${bytes.toString('base64')}';\n`;
  writeFileSync(`src/runtime/binaries/${variant}.ts`, module);
  console.log(`${variant}.wasm: ${bytes.length} bytes`);
}
