// npm run test:jsc: whether JavaScriptCore, Safari's engine, computes on arm64 what Node computes here. JSC_ROOT names a folder
// with Debian's arm64 packages libjavascriptcoregtk-4.0-bin and all that it depends on, unpacked by `dpkg -x`; qemu-user runs it.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { prepare } from '../bench/prepare.mjs';
import { loadModel } from '../dist/index.js';

const QEMU = '/usr/bin/qemu-aarch64-static';
const FLOAT_TOLERANCE = 1e-4;
const TIERS = [
  { name: 'tiers as they come', flags: [] },
  {
    name: 'the optimizing tier at once',
    flags: ['--thresholdForBBQOptimizeAfterWarmUp=1', '--thresholdForOMGOptimizeAfterWarmUp=1', '--thresholdForOMGOptimizeSoon=1'],
  },
];
const SIDE = 224;
/** Names that a page has and the shell lacks. */
const SHELL = `
globalThis.self = globalThis;
globalThis.navigator = { hardwareConcurrency: 1 };
globalThis.TextDecoder = class { decode(bytes = []) { let s = ''; for (const b of new Uint8Array(bytes.buffer ?? bytes, bytes.byteOffset, bytes.byteLength)) s += String.fromCharCode(b); return decodeURIComponent(escape(s)); } };
globalThis.TextEncoder = class { encode(text) { return Uint8Array.from(unescape(encodeURIComponent(text)), (c) => c.charCodeAt(0)); } };
globalThis.atob ??= (text) => {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  let [bits, held, bytes] = [0, 0, ''];
  for (const c of text.replace(/=+$/, '')) {
    bits = (bits << 6) | digits.indexOf(c);
    held += 6;
    if (held >= 8) bytes += String.fromCharCode((bits >> (held -= 8)) & 255);
  }
  return bytes;
};`;

const jsc = process.env.JSC_ROOT;
const shell = jsc && resolve(jsc, 'usr/bin/jsc');
if (!shell || !existsSync(shell) || !existsSync(QEMU)) {
  throw new Error(`JSC_ROOT must name a folder with an arm64 usr/bin/jsc, and ${QEMU} must be there; see the head of scripts/jsc.mjs.`);
}
const files = [];
for (const name of ['mobilenet_v3_small', 'mobilenet_v3_large']) {
  const folder = await prepare(name);
  files.push(join(folder, 'float32.safetensors'), join(folder, 'int8.safetensors'));
}
const quantized = resolve('../shared/models/v2-1.0-224-ptq-int8.tflite');
if (existsSync(quantized)) files.push(quantized);
const ways = [
  { simd: 'baseline', kernels: 'products' },
  { simd: 'baseline', kernels: 'pairs' },
  { simd: 'relaxed', kernels: 'products' },
  { simd: 'relaxed', kernels: 'planes' },
];
const runs = files.flatMap((file) =>
  ways.filter(({ kernels }) => file.includes('int8') || kernels === 'products').map((way) => ({ file, ...way })),
);

mkdirSync('build/jsc', { recursive: true });
const wasm = {
  name: 'wasm',
  setup({ onResolve, onLoad }) {
    // The shell cannot unzip: the binaries go in as they are.
    onResolve({ filter: /^#platform$/ }, () => ({ path: '#platform', namespace: 'shell' }));
    onLoad({ filter: /.*/, namespace: 'shell' }, () => ({
      contents: "import browser from './src/platform/browser.ts'; export default { ...browser, gunzip: (bytes) => bytes };",
      resolveDir: process.cwd(),
    }));
    onLoad({ filter: /src\/binaries\/(baseline|relaxed)\.ts$/ }, ({ path }) => {
      const name = path.endsWith('relaxed.ts') ? 'relaxed' : 'baseline';
      return { contents: `export default '${readFileSync(`build/${name}.wasm`).toString('base64')}'` };
    });
  },
};
await build({
  entryPoints: ['scripts/jsc-entry.mjs'],
  outfile: 'build/jsc/entry.js',
  bundle: true,
  format: 'iife',
  platform: 'browser',
  plugins: [wasm],
  banner: { js: SHELL },
  define: { RUNS: 'globalThis.RUNS' },
  logLevel: 'error',
});

const env = { ...process.env, QEMU_LD_PREFIX: resolve(jsc) };
const version = readFileSync(join(jsc, 'version'), 'utf8').trim();
console.log(`JavaScriptCore ${version}, arm64 under qemu-user, against Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`);
const input = { data: Float32Array.from({ length: SIDE * SIDE * 3 }, (_, i) => Math.sin(i * 12.9898) * 1.5), shape: [1, SIDE, SIDE, 3] };
let wrong = 0;
for (const { name: tier, flags: tierFlags } of TIERS) {
  console.log(`\n${tier}`);
  for (const run of runs) {
    const model = await loadModel(readFileSync(run.file), { simd: 'baseline', threads: 1 });
    const expected = await model.predict(input);
    model.dispose();
    writeFileSync('build/jsc/runs.js', `globalThis.RUNS = ${JSON.stringify([run])};`);
    const flags = [...(run.simd === 'relaxed' ? ['--useWasmRelaxedSIMD=1'] : []), ...tierFlags];
    const { stdout, stderr } = spawnSync(QEMU, [shell, ...flags, 'build/jsc/runs.js', 'build/jsc/entry.js'], {
      encoding: 'utf8',
      env,
      maxBuffer: 1 << 28,
    });
    const name = `${run.file.split('/').slice(-2).join('/')}, ${run.simd}, ${run.kernels}`;
    const line = stdout.trim().split('\n').at(-1);
    const said = line?.startsWith('{') ? JSON.parse(line) : { error: (stderr || stdout).slice(-300) || 'it said nothing' };
    if (said.error) {
      console.log(`--   ${name}: ${said.error.split('\n')[0]}`);
      continue;
    }
    const spread = Math.sqrt(expected.reduce((sum, x) => sum + x * x, 0) / expected.length);
    const worst = expected.reduce((most, x, i) => Math.max(most, Math.abs(x - said.logits[i])), 0) / spread;
    const right = said.precision === 'int8' ? worst === 0 : worst < FLOAT_TOLERANCE;
    if (!right) wrong++;
    const what = worst === 0 ? 'bit for bit' : `within ${worst.toExponential(1)} of the standard deviation`;
    console.log(`${right ? 'ok  ' : 'FAIL'} ${name}: ${what}, ${said.seconds.toFixed(1)} s`);
  }
}
process.exitCode = wrong > 0 ? 1 : 0;
